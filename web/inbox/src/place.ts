const GAP = 8;
const MIN_HEIGHT = 320;
const SHEET = "(max-width: 479.98px)"; // As in panel.css, which places the panel on phones.

/** Put the panel below the bell, or above it where there is more room, and inside the window. */
export function place(panel: HTMLElement, bell: HTMLElement): void {
  panel.style.cssText = "";
  if (matchMedia(SHEET).matches) return;
  const at = bell.getBoundingClientRect();
  const { clientWidth: width, clientHeight: height } = document.documentElement;
  const rightToLeft = getComputedStyle(bell).direction === "rtl";
  const [fromStart, fromEnd] = [at.left, at.right - panel.offsetWidth];
  const preferred = rightToLeft ? fromStart : fromEnd;
  const fits = preferred >= GAP && preferred + panel.offsetWidth <= width - GAP;
  const left = fits ? preferred : rightToLeft ? fromEnd : fromStart;
  const below = height - at.bottom - 2 * GAP;
  const above = at.top - 2 * GAP;
  panel.style.left = `${Math.max(GAP, Math.min(left, width - panel.offsetWidth - GAP))}px`;
  if (below >= MIN_HEIGHT || below >= above) {
    panel.style.top = `${at.bottom + GAP}px`;
    panel.style.maxHeight = `min(var(--heliograph-panel-height, 620px), ${below}px)`;
  } else {
    panel.style.bottom = `${height - at.top + GAP}px`;
    panel.style.maxHeight = `min(var(--heliograph-panel-height, 620px), ${above}px)`;
  }
}
