"""How a page looks: whether it fits the screen, and can be read."""

from urllib.parse import urlsplit

_CONTRAST = """
    (selector => {
      const canvas = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
      const element = document.querySelector(selector), style = getComputedStyle(element);
      const paint = (color, alpha) => {
        canvas.globalAlpha = alpha;
        canvas.fillStyle = color;
        canvas.fillRect(0, 0, 1, 1);
        const linear = [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3)
          .map(value => value / 255).map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4);
        return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2];
      };
      const probe = document.createElement('div');
      probe.style.color = 'Canvas';
      document.body.append(probe);
      const page = paint(getComputedStyle(probe).color, 1);
      probe.remove();
      const text = paint(style.color, Number(style.opacity));
      return { isDark: page < 0.2, ratio: (Math.max(page, text) + 0.05) / (Math.min(page, text) + 0.05) };
    })
"""


async def contrast(tab, selector):
    """The contrast of an element's text to the page behind it, as WCAG 2.2 defines it, and whether the page is dark."""
    return await tab.evaluate(f"({_CONTRAST})({selector!r})")


async def until_drawn(tab, canvas):
    """Waits until something is on a canvas."""
    await tab.until(f"""
        (canvas => {{
          const size = [canvas.width, canvas.height];
          const copy = new OffscreenCanvas(...size).getContext('2d', {{ willReadFrequently: true }});
          copy.drawImage(canvas, 0, 0);
          return copy.getImageData(0, 0, ...size).data.some(byte => byte > 0);
        }})(document.querySelector({canvas!r}))
    """)


async def check_looks(tab, scheme, selectors):
    """The page is not wider than the screen, its texts can be read, and all of it came from its server."""
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert await tab.evaluate(overflow) == 0
    for selector in selectors:
        seen = await contrast(tab, selector)
        assert seen["isDark"] == (scheme == "dark")
        assert seen["ratio"] >= 4.5, selector
    hosts = {urlsplit(url).netloc for url in tab.requests if not url.startswith("data:")}
    assert len(hosts) == 1, hosts
    assert tab.errors == [], tab.errors
