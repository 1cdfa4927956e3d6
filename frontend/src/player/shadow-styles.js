// Styles of shadow roots without <style> elements, so that a strict content security policy holds.

/** Fill a shadow root like `root.innerHTML = html`, each <style> becoming a constructed style sheet.
 *
 * A <shadow-style> stands where the <style> stood: it has its attributes and its `sheet`, which is what components
 * look for when they add rules or switch a style by its media attribute. */
export function fillShadowRoot(root, html) {
  const template = document.createElement("template");
  template.innerHTML = html; // an inert document: nothing is applied, run or fetched
  const sheets = [];
  for (const style of template.content.querySelectorAll("style")) {
    const sheet = new CSSStyleSheet({ media: style.getAttribute("media") ?? "" });
    sheet.replaceSync(style.textContent);
    sheets.push(sheet);
    style.replaceWith(standIn(style, sheet));
  }
  root.adoptedStyleSheets = [...root.adoptedStyleSheets, ...sheets];
  root.replaceChildren(template.content);
}

function standIn(style, sheet) {
  const element = document.createElement("shadow-style");
  for (const { name, value } of style.attributes) element.setAttribute(name, value);
  element.hidden = true;
  Object.defineProperty(element, "sheet", { value: sheet });
  element.setAttribute = function (name, value) {
    HTMLElement.prototype.setAttribute.call(this, name, value);
    if (name === "media") sheet.media.mediaText = value;
  };
  return element;
}
