package escpos

import "github.com/tillwright/tillwright/printer/internal/pages"

// Code pages by maker, in the order in which they are tried: the one that a printer
// starts in, then those with the euro sign.
var (
	// common are Epson's numbers, which most makers copy (ESC t).
	common = pages.Set("0=437 19=858 16=1252 2=850")
	// old are what all of Epson's ever had, epson those of printers sold since about
	// 2010 in Europe and America; in the m30 line 19 is another page.
	old   = pages.Set("0=437 19=858 16=1252 2=850 18=852 17=866 3=860 4=863 5=865")
	epson = pages.Set("0=437 19=858 16=1252 2=850 18=852 17=866 45=1250 46=1251 47=1253 48=1254 51=1257 3=860 4=863 5=865")
	m30   = pages.Set("0=437 16=1252 2=850 18=852 17=866 45=1250 46=1251 47=1253 48=1254 51=1257 3=860")
	// zjiang are the pages of the many machines built around one Chinese board.
	zjiang   = pages.Set("0=437 19=858 16=1252 2=850 18=852 17=866 72=1250 73=1251 90=1253 91=1254 3=860")
	zj5870   = pages.Set("0=437 16=1252 2=850 18=852 17=866 3=860")
	xprinter = pages.Set("0=437 19=858 16=1252 2=850 18=852 17=866 23=1251 7=1253 3=860")
	rongta   = pages.Set("0=437 19=858 16=1252 2=850 18=852 7=866 30=1250 6=1251 32=1254 3=860")
	wincor   = pages.Set("0=437 6=858 8=1252 1=850 2=852 7=866 17=1250 16=1254 3=860")
)

// Profiles for printers that are not in the table. Those of ASB are for machines that answer
// no question at once, but report by themselves, as their manual says under GS a. Default58 is the common battery
// or counter printer without a knife. Safe expects nothing: it takes the narrowest
// paper, no code page beyond ASCII, no knife, no answers.
var (
	Default80 = Profile{Name: "80mm", Title: "80 mm, like an Epson", Columns: 48, Dots: 576, Pages: common, Cutter: true, Barcodes: true, Module: 6, Answers: true, Queued: true}
	Default58 = Profile{Name: "58mm", Title: "58 mm, without a knife", Columns: 32, Dots: 384, Pages: common, Module: 4, Answers: true}
	ASB80     = Profile{Name: "80mm-asb", Title: "80 mm, reports by itself alone (ASB)", Columns: 48, Dots: 576, Pages: common, Cutter: true, Module: 6, Auto: true}
	ASB58     = Profile{Name: "58mm-asb", Title: "58 mm, reports by itself alone (ASB)", Columns: 32, Dots: 384, Pages: common, Module: 4, Auto: true}
	Safe      = Profile{Name: "safe", Title: "any, with nothing taken for granted", Columns: 32, Dots: 384, Module: 4}
)

// Models returns the profiles of the printers that are known by name, "default" first.
// Widths, code pages and what each can do are facts of escpos-printer-db (CC BY 4.0,
// the receipt-print-hq contributors, tag v26.07.27), of the makers' manuals, and of
// ReceiptPrinterEncoder's table (MIT). Each call makes a new list; Pages are shared
// and must not be changed.
func Models() []Profile {
	t := func(name, title string, columns, dots int, common []Page) Profile {
		return Profile{Name: name, Title: title, Columns: columns, Dots: dots, Pages: common, Cutter: true, Barcodes: true, HasQR: true,
			Module: 6, Answers: true, Queued: true}
	}
	cheap := func(name, title string, common []Page) Profile {
		return Profile{Name: name, Title: title, Columns: 32, Dots: 384, Pages: common, Module: 4, Beeper: CloneBeeper}
	}
	with := func(p Profile, f func(*Profile)) Profile { f(&p); return p }
	beeps := func(p *Profile) { p.Beeper = EpsonBeeper }
	def := Default80
	def.Name = "default"
	return []Profile{
		def, Default80, Default58, ASB80, ASB58, Safe,
		t("tm-t20ii", "Epson TM-T20II", 48, 576, epson),
		t("tm-t20iii", "Epson TM-T20III", 48, 576, epson),
		t("tm-t88iv", "Epson TM-T88IV", 42, 512, old),
		t("tm-t88v", "Epson TM-T88V", 42, 512, epson),
		with(t("tm-t88vi", "Epson TM-T88VI", 42, 512, epson), beeps),
		with(t("tm-m30iii", "Epson TM-m30III", 48, 576, m30), func(p *Profile) { p.Beeper, p.Strip, p.Image = EpsonBeeper, 64, Graphics }),
		with(t("tm-m10", "Epson TM-m10 (58 mm)", 35, 424, epson), func(p *Profile) { p.Module = 5 }),
		{Name: "tm-u220b", Title: "Epson TM-U220B (impact, for kitchens)", Columns: 33, Pages: old, Cutter: true, Image: NoImages, OldSize: true,
			Beeper: DrawerPort, Answers: true, Queued: true},
		t("ct-s310ii", "Citizen CT-S310II", 48, 576, old),
		t("ct-s651", "Citizen CT-S651", 48, 576, old),
		t("srp-350iii", "Bixolon SRP-350III", 42, 512, old),
		t("srp-s300", "Bixolon SRP-S300", 48, 576, old),
		with(t("th230plus", "Wincor Nixdorf TH230+", 44, 576, wincor), func(p *Profile) { p.Image, p.Cell = Columns, 13 }),
		with(t("xp-n160ii", "Xprinter XP-N160II, XP-80", 48, 576, xprinter), func(p *Profile) { p.Queued, p.Beeper = false, CloneBeeper }),
		with(t("rp326", "Rongta RP326, RP80", 48, 576, rongta), func(p *Profile) { p.Queued, p.Beeper = false, CloneBeeper }),
		cheap("pos-5890", "Zjiang POS-5890 and its many brothers (58 mm)", zjiang),
		cheap("zj-5870", "Zjiang ZJ-5870, POS-58 (58 mm)", zj5870),
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
