package dev.ratelimit.sample;

/** Measures whether texts stand out from what is behind them, as WCAG 2.2 has it in criterion 1.4.3. */
final class Contrast {

    /** A script that comes to the texts of a page with a contrast below 4.5 to 1, and what theirs is. */
    static final String FAINT_TEXTS = """
            (() => {
              const rgb = colour => colour.match(/[\\d.]+/g).map(Number);
              const linear = part => part <= 0.04045 * 255 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4;
              const luminance = ([r, g, b]) => 0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b);
              const ground = element => {
                for (let at = element; at; at = at.parentElement) {
                  const colour = rgb(getComputedStyle(at).backgroundColor);
                  if (colour.length === 3 || colour[3] === 1) return colour;
                }
                return [255, 255, 255];
              };
              const own = element => [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
              return [...document.body.querySelectorAll('*')]
                .filter(element => element.getClientRects().length && (own(element) || element.matches('input, textarea, select')))
                .map(element => {
                  const [a, b] = [luminance(rgb(getComputedStyle(element).color)), luminance(ground(element))];
                  return [element, (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)];
                })
                .filter(([, ratio]) => !(ratio >= 4.5))
                .map(([element, ratio]) => element.outerHTML.slice(0, 80) + ' ' + ratio.toFixed(2));
            })()
            """;

    private Contrast() {}
}
