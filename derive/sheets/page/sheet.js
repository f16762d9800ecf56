// Boxes that scroll can be reached with the keyboard; copied formulas are LaTeX.
"use strict";
(() => {
  const boxes = "main p, .note, .member, .scrolling, .picture, pre, .wide .left";
  const reach = () => {
    for (const box of document.querySelectorAll(boxes)) {
      if (box.scrollWidth > box.clientWidth + 1) box.tabIndex = 0;
      else box.removeAttribute("tabindex");
    }
  };
  addEventListener("resize", reach);
  addEventListener("load", reach);

  const source = (math) => math.querySelector("annotation")?.textContent ?? math.textContent;
  const said = (fragment) => {
    const texts = document.createTreeWalker(fragment, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
      const node = texts.currentNode;
      if (!node.parentElement?.closest("pre, annotation")) node.data = node.data.replace(/\s+/g, " ");
    }
    for (const equation of fragment.querySelectorAll(".equation")) {
      const whole = [...equation.querySelectorAll(".left math, .member:not(.case) math")];
      if (whole.length > 1) {
        const text = whole.map((math) => source(math).trim()).join(" ");
        whole.forEach((math, k) => math.replaceWith(k ? "" : `$${text}$`));
      }
    }
    for (const math of fragment.querySelectorAll("math")) math.replaceWith(`$${source(math).trim()}$`);
    for (const block of fragment.querySelectorAll("p, li, tr, h1, h2, h3, h4, .equation, .step")) block.append("\n");
    for (const cell of fragment.querySelectorAll("td, th + th, .note")) cell.prepend("\t");
    return fragment.textContent.replace(/( *\n)+/g, "\n").replace(/\n (?=\S)/g, "\n").replace(/ +\t/g, "\t").trim();
  };
  document.addEventListener("copy", (event) => {
    const selection = getSelection();
    if (!selection.rangeCount || selection.isCollapsed || event.target.closest?.("input")) return;
    const range = selection.getRangeAt(0).cloneRange();
    const around = (node) => (node.nodeType === 1 ? node : node.parentElement)?.closest("math");
    const first = around(range.startContainer);
    const last = around(range.endContainer);
    if (first) range.setStartBefore(first);
    if (last) range.setEndAfter(last);
    const fragment = range.cloneContents();
    if (!fragment.querySelector("math")) return;
    event.clipboardData.setData("text/plain", said(fragment));
    event.preventDefault();
  });
})();
