type Child = Node | string;

/** Create an element. Strings become text, never HTML, so the component works under a strict content-security policy. */
export function h<K extends keyof HTMLElementTagNameMap>(tag: K, attributes: Record<string, string> = {}, ...children: Child[]): HTMLElementTagNameMap[K] {
  const created = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) created.setAttribute(name, value);
  created.append(...children);
  return created;
}

/** A button that submits no form. */
export const button = (attributes: Record<string, string>, ...children: Child[]) => h("button", { type: "button", ...attributes }, ...children);

/** An icon of 20 by 20 in the colour of the text, which assistive technology skips. */
export function icon(path: string): SVGSVGElement {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const attributes = { viewBox: "0 0 20 20", fill: "none", stroke: "currentColor", "stroke-width": "1.5", "stroke-linecap": "round", "stroke-linejoin": "round", "aria-hidden": "true" };
  for (const [name, value] of Object.entries(attributes)) svg.setAttribute(name, value);
  const drawn = document.createElementNS("http://www.w3.org/2000/svg", "path");
  drawn.setAttribute("d", path);
  svg.append(drawn);
  return svg;
}

export const BELL = "M10 2.5a5 5 0 0 0-5 5c0 4.4-1.7 5.6-1.7 6.6h13.4c0-1-1.7-2.2-1.7-6.6a5 5 0 0 0-5-5ZM8 16.9a2.1 2.1 0 0 0 4 0";
export const CHECK = "M10 2.5a7.5 7.5 0 1 0 0 15 7.5 7.5 0 0 0 0-15Zm-3.2 7.7 2.2 2.2 4.3-4.6";
export const CLOSE = "m5.5 5.5 9 9m0-9-9 9";
export const ARCHIVE = "M3 4h14v3.5H3zM4.3 7.5V16h11.4V7.5M8 11h4";

/** Set text only when it differs: assistive technology reads each assignment in a live region aloud. */
export function setText(node: Node, text: string): void {
  if (node.textContent !== text) node.textContent = text;
}

export function setAttribute(element: Element, name: string, value: string | null): void {
  if (element.getAttribute(name) === value) return;
  if (value === null) element.removeAttribute(name);
  else element.setAttribute(name, value);
}

export function sheet(...css: string[]): CSSStyleSheet {
  const created = new CSSStyleSheet();
  created.replaceSync(css.join(""));
  return created;
}
