// Pictures writes pictures of every kind of page of cba/report and of examples/lab:
// PNG, light and dark, 400 and 1,200 pixels wide, and PDF as it is printed. With
// -readme it writes the two that README.md shows.
//
//	go run ./examples/lab/browser/pictures -out pictures
//	go run ./examples/lab/browser/pictures -readme docs/pictures
//
// It needs Chromium.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"

	"example.com/entracba/examples/internal/console"
	"example.com/entracba/examples/lab/browser"
)

func main() { console.Main("pictures", run) }

func run(args []string) error {
	f := flag.NewFlagSet("lab/browser/pictures", flag.ContinueOnError)
	out := f.String("out", "", "write all pictures into `DIR`")
	readme := f.String("readme", "", "write the pictures of README.md into `DIR`")
	if err := console.ParseFlags(f, args, "Writes pictures of every page.", "-out DIR"); err != nil {
		return err
	}
	if (*out == "") == (*readme == "") || f.NArg() > 0 {
		return console.Usage("give either -out or -readme, and nothing else")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	work, err := os.MkdirTemp("", "pictures")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	if err := browser.Build(ctx, work, browser.Programs()...); err != nil {
		return err
	}
	pages, err := browser.Pages(ctx, work, work)
	if err != nil {
		return err
	}
	screen, err := browser.NewScreen(ctx)
	if err != nil {
		return err
	}
	defer screen.Close()
	w := writer{folder: *out + *readme}
	if err := os.MkdirAll(w.folder, 0o755); err != nil {
		return err
	}
	for _, p := range pages {
		if *readme != "" {
			name := map[string]string{"audit": "report", "lab-wrong-person": "lab"}[p.Name]
			if name == "" {
				continue
			}
			if err := screen.Show(p, false, 1000); err != nil {
				return err
			}
			w.write(name + ".png")(screen.Top(1000, 720))
			continue
		}
		for _, dark := range []bool{false, true} {
			for _, width := range []int{400, 1200} {
				if err := screen.Show(p, dark, width); err != nil {
					return err
				}
				shade := "light"
				if dark {
					shade = "dark"
				}
				w.write(fmt.Sprintf("%s-%s-%d.png", p.Name, shade, width))(screen.PNG())
			}
		}
		w.write(p.Name + ".pdf")(screen.PDF())
	}
	if w.err == nil {
		fmt.Printf("%s in %s\n", console.Count(w.count, "picture"), w.folder)
	}
	return w.err
}

// A writer writes pictures until one fails.
type writer struct {
	folder string
	count  int
	err    error
}

func (w *writer) write(name string) func(content []byte, err error) {
	return func(content []byte, err error) {
		if err == nil {
			err = os.WriteFile(filepath.Join(w.folder, name), content, 0o644)
		}
		if w.err == nil {
			w.err = err
		}
		w.count++
	}
}
