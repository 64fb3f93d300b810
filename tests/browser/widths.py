"""What is cut off or sticks out, at widths between a small telephone's and a large screen's."""

from __future__ import annotations

from tests.lab.browser import Visitor

WIDTHS = (320, 390, 701, 768, 1024, 1280, 1366, 1440)

# Tables whose right end can only be reached by scrolling, cells whose content is cut, and what
# crosses the edge of the card that it stands in.
_CUT = """() => {
    const found = [];
    for (const region of document.querySelectorAll(".table-region"))
        if (region.scrollWidth > region.clientWidth + 1)
            found.push(`scrolls by ${region.scrollWidth - region.clientWidth}: `
                + region.getAttribute("aria-label"));
    for (const one of document.querySelectorAll(".card .pill, .card .number, .card time")) {
        const edge = one.closest(".card").getBoundingClientRect();
        const box = one.getBoundingClientRect();
        const cell = one.closest("td");
        if (box.width === 0 || one.closest(".cell-party")) continue;
        if (box.right > edge.right + 0.5 || box.left < edge.left - 0.5)
            found.push(`crosses its card: ${one.outerHTML.slice(0, 100)}`);
        else if (cell && box.right > cell.getBoundingClientRect().right + 0.5)
            found.push(`is cut by its cell: ${one.outerHTML.slice(0, 100)}`);
    }
    return found;
}"""


async def cut_off(visitor: Visitor, widths: tuple[int, ...] = WIDTHS) -> list[str]:
    """Return what is wrong with the page as it is now, at each width."""
    problems: list[str] = []
    page = visitor.page
    before = page.viewport_size
    for width in widths:
        await page.set_viewport_size({"width": width, "height": 900})
        found = [*await visitor.sticking_out(), *await page.evaluate(_CUT)]
        problems += [f"{width} px: {one}" for one in found]
    if before is not None:
        await page.set_viewport_size(before)
    return problems
