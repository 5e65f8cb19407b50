package browser

import (
	"context"
	"os/exec"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// A Screen shows pages in a headless Chromium.
type Screen struct {
	ctx  context.Context
	stop func()
}

// NewScreen starts a Chromium.
func NewScreen(ctx context.Context) (*Screen, error) {
	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.NoSandbox, chromedp.DisableGPU, chromedp.Flag("hide-scrollbars", true))
	if path, err := exec.LookPath("chromium"); err == nil {
		options = append(options, chromedp.ExecPath(path))
	}
	allocator, end := chromedp.NewExecAllocator(ctx, options...)
	tab, cancel := chromedp.NewContext(allocator)
	s := &Screen{tab, func() { cancel(); end() }}
	if err := chromedp.Do(tab); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Close ends the Chromium.
func (s *Screen) Close() { s.stop() }

// Show opens a page, light or dark, in a window of this width.
func (s *Screen) Show(p Page, dark bool, width int) error {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	if err := chromedp.Do(s.ctx, chromedp.EmulateViewport(int64(width), 900)); err != nil {
		return err
	}
	if _, err := chromedp.Call(s.ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}}}); err != nil {
		return err
	}
	if err := chromedp.Do(s.ctx, chromedp.Navigate(p.URL())); err != nil || !p.Program {
		return err
	}
	ctx, cancel := context.WithTimeout(s.ctx, time.Minute)
	defer cancel()
	steps := []chromedp.Action[chromedp.Void]{chromedp.Poll[chromedp.Void](`window.readyAfter > 0`)}
	for field, file := range p.Files {
		steps = append(steps, chromedp.SetUploadFiles(chromedp.CSS("#"+field), []string{file}))
	}
	if len(p.Files) > 0 {
		steps = append(steps, chromedp.WaitVisible(chromedp.CSS(".verdict")), chromedp.WaitVisible(chromedp.CSS("#affected")))
	}
	return chromedp.Do(ctx, steps...)
}

// PNG is what is shown, from top to bottom.
func (s *Screen) PNG() ([]byte, error) { return chromedp.Run(s.ctx, chromedp.FullScreenshot(100)) }

// Top is what a window of the given height shows.
func (s *Screen) Top(width, height int) ([]byte, error) {
	if err := chromedp.Do(s.ctx, chromedp.EmulateViewport(int64(width), int64(height))); err != nil {
		return nil, err
	}
	return chromedp.Run(s.ctx, chromedp.CaptureScreenshot())
}

// PDF is what is printed, on A4.
func (s *Screen) PDF() ([]byte, error) {
	return chromedp.Run(s.ctx, chromedp.PrintToPDF(chromedp.PDFPaper(chromedp.PaperA4)))
}
