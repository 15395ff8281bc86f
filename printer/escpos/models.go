package escpos

import "github.com/tillwright/tillwright/printer"

// Code pages by maker, in the order in which they are tried: the one that a printer
// starts in, then those with the euro sign.
var (
	// pages are Epson's numbers, which most makers copy (ESC t).
	pages = []Page{{0, printer.CP437}, {19, printer.CP858}, {16, printer.CP1252}, {2, printer.CP850}}
	// epson are those of printers sold since about 2010, in Europe and America.
	epson = append(pages[:len(pages):len(pages)],
		Page{18, printer.CP852}, Page{17, printer.CP866}, Page{45, printer.CP1250}, Page{46, printer.CP1251}, Page{47, printer.CP1253}, Page{48, printer.CP1254},
		Page{51, printer.CP1257}, Page{3, printer.CP860}, Page{4, printer.CP863}, Page{5, printer.CP865})
	// old are what all of Epson's ever had.
	old = append(pages[:len(pages):len(pages)], Page{18, printer.CP852}, Page{17, printer.CP866}, Page{3, printer.CP860}, Page{4, printer.CP863}, Page{5, printer.CP865})
	// m30: 19 is another page there.
	m30 = []Page{{0, printer.CP437}, {16, printer.CP1252}, {2, printer.CP850}, {18, printer.CP852}, {17, printer.CP866}, {45, printer.CP1250}, {46, printer.CP1251}, {47, printer.CP1253}, {48, printer.CP1254}}
	// zjiang are the pages of the many machines built around one Chinese board.
	zjiang = append(pages[:len(pages):len(pages)],
		Page{18, printer.CP852}, Page{17, printer.CP866}, Page{72, printer.CP1250}, Page{73, printer.CP1251}, Page{90, printer.CP1253}, Page{91, printer.CP1254}, Page{3, printer.CP860})
	xprinter = append(pages[:len(pages):len(pages)], Page{18, printer.CP852}, Page{17, printer.CP866}, Page{23, printer.CP1251}, Page{7, printer.CP1253}, Page{3, printer.CP860})
	rongta   = append(pages[:len(pages):len(pages)], Page{18, printer.CP852}, Page{7, printer.CP866}, Page{30, printer.CP1250}, Page{6, printer.CP1251}, Page{32, printer.CP1254}, Page{3, printer.CP860})
	wincor   = []Page{{0, printer.CP437}, {6, printer.CP858}, {8, printer.CP1252}, {1, printer.CP850}, {2, printer.CP852}, {7, printer.CP866}, {17, printer.CP1250}, {16, printer.CP1254}, {3, printer.CP860}}
	citizen  = []Page{{0, printer.CP437}, {19, printer.CP858}, {16, printer.CP1252}, {2, printer.CP850}, {18, printer.CP852}, {17, printer.CP866}, {3, printer.CP860}, {4, printer.CP863}, {5, printer.CP865}}
)

// Profiles for printers that are not in the table. Default58 is the common battery
// or counter printer without a knife. Safe expects nothing: it takes the narrowest
// paper, no code page beyond ASCII, no knife, no answers.
var (
	Default80 = Profile{Name: "80mm", Title: "80 mm, like an Epson", Columns: 48, Dots: 576, Pages: pages, Cutter: true, Barcodes: true, Module: 6, Answers: true, Queued: true}
	Default58 = Profile{Name: "58mm", Title: "58 mm, without a knife", Columns: 32, Dots: 384, Pages: pages, Module: 4, Answers: true}
	Safe      = Profile{Name: "safe", Title: "any, with nothing taken for granted", Columns: 32, Dots: 384, Module: 4}
)

// Models returns the profiles of the printers that are known by name, "default" first.
// Widths, code pages and what each can do are facts of escpos-printer-db (CC BY 4.0,
// the receipt-print-hq contributors, tag v26.07.27), of the makers' manuals, and of
// ReceiptPrinterEncoder's table (MIT). Each call makes a new list; Pages are shared
// and must not be changed.
func Models() []Profile {
	t := func(name, title string, columns, dots int, pages []Page) Profile {
		return Profile{Name: name, Title: title, Columns: columns, Dots: dots, Pages: pages, Cutter: true, Barcodes: true, HasQR: true,
			Module: 6, Answers: true, Queued: true}
	}
	cheap := func(name, title string, pages []Page) Profile {
		return Profile{Name: name, Title: title, Columns: 32, Dots: 384, Pages: pages, Module: 4, Beeper: CloneBeeper}
	}
	with := func(p Profile, f func(*Profile)) Profile { f(&p); return p }
	beeps := func(p *Profile) { p.Beeper = EpsonBeeper }
	def := Default80
	def.Name = "default"
	return []Profile{
		def, Default80, Default58, Safe,
		t("tm-t20ii", "Epson TM-T20II", 48, 576, epson),
		t("tm-t20iii", "Epson TM-T20III", 48, 576, epson),
		t("tm-t88iv", "Epson TM-T88IV", 42, 512, old),
		t("tm-t88v", "Epson TM-T88V", 42, 512, epson),
		with(t("tm-t88vi", "Epson TM-T88VI", 42, 512, epson), beeps),
		with(t("tm-m30iii", "Epson TM-m30III", 48, 576, m30), func(p *Profile) { p.Beeper, p.Strip, p.Image = EpsonBeeper, 64, Graphics }),
		with(t("tm-m10", "Epson TM-m10 (58 mm)", 35, 424, epson), func(p *Profile) { p.Module = 5 }),
		{Name: "tm-u220b", Title: "Epson TM-U220B (impact, for kitchens)", Columns: 33, Pages: old, Cutter: true, Image: NoImages, OldSize: true,
			Beeper: DrawerPort, Answers: true, Queued: true},
		t("ct-s310ii", "Citizen CT-S310II", 48, 576, citizen),
		t("ct-s651", "Citizen CT-S651", 48, 576, citizen),
		t("srp-350iii", "Bixolon SRP-350III", 42, 512, old),
		t("srp-s300", "Bixolon SRP-S300", 48, 576, old),
		with(t("th230plus", "Wincor Nixdorf TH230+", 44, 576, wincor), func(p *Profile) { p.Image = Columns }),
		with(t("xp-n160ii", "Xprinter XP-N160II, XP-80", 48, 576, xprinter), func(p *Profile) { p.Queued, p.Beeper = false, CloneBeeper }),
		with(t("rp326", "Rongta RP326, RP80", 48, 576, rongta), func(p *Profile) { p.Queued, p.Beeper = false, CloneBeeper }),
		cheap("pos-5890", "Zjiang POS-5890 and its many brothers (58 mm)", zjiang),
		cheap("zj-5870", "Zjiang ZJ-5870, POS-58 (58 mm)", []Page{{0, printer.CP437}, {16, printer.CP1252}, {2, printer.CP850}, {18, printer.CP852}, {17, printer.CP866}}),
		with(cheap("nt-5890k", "Netum NT-5890K (58 mm)", zjiang), func(p *Profile) { p.LostFeed = true }),
		with(cheap("sunmi-v2", "Sunmi V2, built in (58 mm)", old), func(p *Profile) { p.HasQR, p.Barcodes, p.Beeper = true, true, NoBeeper }),
	}
}

// ByName returns the profile of that name; ok is false for an unknown one.
func ByName(name string) (p Profile, ok bool) {
	for _, p := range Models() {
		if p.Name == name {
			return p, true
		}
	}
	return Profile{}, false
}
