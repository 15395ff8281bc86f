# make run   a whole shop on this computer: till, backoffice, bitcoin, Lightning, a customer's wallet
# make test  every test, on real nodes and a real browser
# The rest: check race soak fuzz bench nightly arm golden pictures outside words clean

SHELL   := /bin/bash
BIN     := bin
DEVNET  := .devnet
NODES   := $(CURDIR)/$(DEVNET)/bin
GO      := CGO_ENABLED=0 go
FLAGS   := -trimpath -ldflags='-s -w'
FUZZ    ?= 20s

.PHONY: run test real tools nodes build check race vet32 test32 soak fuzz bench nightly arm golden outside words clean contracts FORCE

build:
	@mkdir -p $(BIN)
	@echo "Building till, backoffice and devnet into $(BIN): one to two minutes the first time, then seconds."
	@$(GO) build $(FLAGS) -o $(BIN)/till ./cmd/till
	@$(GO) build $(FLAGS) -o $(BIN)/backoffice ./cmd/backoffice
	@cd cmd/devnet && $(GO) build $(FLAGS) -o ../../$(BIN)/devnet .

run: $(DEVNET)/open

# The sign that the shop is open is this rule's file: when make alone is interrupted it
# takes the file away, and the shop closes.
$(DEVNET)/open: build FORCE
	@$(BIN)/devnet run --dir $(DEVNET) --sign $@ --tree $(CURDIR) --till $(BIN)/till --backoffice $(BIN)/backoffice

# Debian packages that tests need: chromium drives the screens as a cashier would,
# zbar-tools is the outside reader of our QR codes, hb-shape the outside word on what
# letters become, in fonts of five scripts. And from npm, by lock file, an Ethereum node,
# the compiler of our contracts, and a Solana machine.
FONTS := fonts-lohit-deva fonts-lohit-taml fonts-khmeros fonts-tlwg-garuda-ttf fonts-hosny-amiri
tools:
	@missing=; for p in chromium:chromium zbarimg:zbar-tools hb-shape:libharfbuzz-bin; do \
		command -v $${p%:*} >/dev/null || missing+=" $${p#*:}"; done; \
	for p in $(FONTS); do dpkg -s $$p >/dev/null 2>&1 || missing+=" $$p"; done; \
	if [ -n "$$missing" ]; then \
		echo "installing$$missing (for the tests)"; \
		apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing >/dev/null; \
	fi
	@go run ./pos/rail/evm/contracts/install
	@go run ./pos/rail/evm/contracts/install -home pos/rail/solana/svm -as solana

# btcd and lnd, built from source once (about ten minutes on two cores), then cached.
nodes: build
	@$(BIN)/devnet nodes --dir $(DEVNET) --bin $(NODES) --build-only

# The stablecoins' contracts, compiled again by the pinned solc; git shows what changed.
contracts:
	@go run ./pos/rail/evm/contracts/install -build

test: check build tools nodes
	go test -timeout 30m ./...
	cd cmd/devnet && TILLWRIGHT_BIN=$(NODES) go test -timeout 30m ./...
	TILLWRIGHT_SHOP=$(CURDIR)/$(BIN) TILLWRIGHT_BIN=$(NODES) go test -count=1 -timeout 20m -v ./cmd/internal/shop
	$(MAKE) real race test32

# What only real nodes can show: the rail's contract, and every way a sale goes.
real: build nodes
	@d=$$(mktemp -d) && trap 'rm -rf "$$d"' EXIT && $(BIN)/devnet nodes --dir "$$d" --bin $(NODES) \
		go test -count=1 -timeout 30m -v -run 'TestReal|TestDevnet' ./pos/rail/lnd ./cmd/till ./cmd/backoffice

# The stablecoins' contract on a second EVM: geth, built from source once (about five
# minutes). Its blocks come when they come, so this takes a quarter of an hour.
nightly: build
	cd cmd/devnet && TILLWRIGHT_GETH=$(NODES) go test -count=1 -timeout 60m -v -run TestGeth .

check:
	@test -z "$$(gofmt -l cmd pos display printer sync firmware)" || { gofmt -l cmd pos display printer sync firmware; echo "run gofmt"; exit 1; }
	@go vet ./...
	@go test -count=1 ./cmd/internal/arch
	@cd cmd/devnet && go vet ./...

race:
	CGO_ENABLED=1 go test -race -shuffle=on -short -timeout 30m ./pos/... ./display/... ./printer/... ./sync/... ./firmware/...

test32:
	GOARCH=386 $(GO) vet ./pos/... ./display/... ./printer/... ./sync/outbox ./sync/wire ./firmware/... ./cmd/till
	GOARCH=386 $(GO) test -short ./pos ./pos/journal ./pos/ledger ./pos/desk ./printer/... ./display/... ./firmware/...

# The till crashed at every write of long random days, and started again: a quarter of
# an hour at most on two cores, and one table. SOAK=1000000 SOAKTIME=8h for a night.
SOAK     ?= 100000
SOAKTIME ?= 13m
soak:
	@set -o pipefail; GOGC=400 go test -count=1 -timeout 0 -v ./cmd/internal/soak -args -soak.points=$(SOAK) -soak.within=$(SOAKTIME) \
		-soak.lies=5000 -soak.seed=$$(date +%s) | grep -v '^=== \|^ *--- PASS.*worker'

fuzz:
	@for p in $$(go list ./...); do \
		for f in $$(go test -list '^Fuzz' $$p 2>/dev/null | grep ^Fuzz); do \
			echo "$$p $$f"; go test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZ) $$p || exit 1; \
		done; \
	done

# The figures of the README, as ratios to a bare limit measured in the same run.
bench: build arm
	@nproc | sed 's/^/cores: /'; grep -m1 'model name' /proc/cpuinfo || true
	@TILLWRIGHT_TILL=$(CURDIR)/$(BIN)/till go test -run '^$$' -bench . -benchtime 1x ./cmd/till ./cmd/backoffice | grep -v '^20\|level='
	@go test -run '^$$' -bench 'Append|Year' ./pos/journal
	@go test -run '^$$' -bench . ./display ./pos/qr ./printer/escpos
	@go test -run '^$$' -bench Paper -benchtime 20x ./printer/models
	@go test -run '^$$' -bench Bus -benchtime 20x ./display/displaytest
	@go test -run '^$$' -bench Watch -benchtime 1x ./pos/rail/evm ./pos/rail/solana ./pos/rail/tron

golden:
	go test ./printer ./printer/models ./display ./display/displaytest ./cmd/till -run Golden -update

# The README's pictures, taken of a running shop.
pictures: build tools nodes
	TILLWRIGHT_SHOP=$(CURDIR)/$(BIN) TILLWRIGHT_BIN=$(NODES) go test -count=1 ./cmd/internal/shop -pictures $(CURDIR)/cmd/till/pictures

# What independent encoders say for the printers' papers, by the encoders of the lock
# file; git shows what changed, and the tests compare.
outside:
	@node printer/testdata/outside/outside.mjs printer/testdata/outside.json
	@git diff --stat -- printer/testdata/outside.json
	go test -count=1 -run Outside ./printer/escpos ./printer/star

# The catalogue of words, packed as it is built in.
words:
	go test -count=1 ./pos -run TestPacked -update

# Static binaries for the boards, with their sizes; the till has a budget. On arm64 it
# sets every script by its font's rules, which the small boards' do without.
# Inlining is for what draws, prints, hashes and signs; elsewhere it costs a board's binary
# two thirds of a megabyte and wins nothing that a hand at the counter could feel.
# Of two patterns that match a package the last one holds.
SMALL := -gcflags=github.com/...=-l -gcflags=github.com/decred/...= -gcflags=./...=-l \
	$(foreach p,display/... printer/... pos/qr pos/shape pos/journal,-gcflags=./$(p)=)
arm:
	@mkdir -p $(BIN)
	@for v in 6 7; do GOOS=linux GOARCH=arm GOARM=$$v $(GO) build $(FLAGS) $(SMALL) -o $(BIN)/till-armv$$v ./cmd/till || exit 1; done
	@GOOS=linux GOARCH=arm64 $(GO) build $(FLAGS) $(SMALL) -o $(BIN)/till-arm64 ./cmd/till
	@for f in $(BIN)/till-arm*; do \
		s=$$(stat -c %s $$f); printf '%-16s %5.1f MB\n' $${f##*/} $$(awk "BEGIN{print $$s/1000000}"); \
		most=16; case $$f in *arm64) most=18;; esac; \
		if [ $$s -gt $${most}000000 ]; then echo "$$f is over its budget of $$most MB"; exit 1; fi; \
	done

clean:
	rm -rf $(BIN)
