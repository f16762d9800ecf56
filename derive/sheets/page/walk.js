// The walk through a picture: scenes scroll by while the nodes and edges they are about light up.
(() => {
  const FORWARD = new Set(["ArrowRight", "ArrowDown", "PageDown", " "]);
  const BACK = new Set(["ArrowLeft", "ArrowUp", "PageUp"]);
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  let active = null;

  class Walk {
    constructor(section) {
      this.section = section;
      this.at = 0;
      this.deaf = 0; // until when scrolling is our own
      this.find = (selector) => section.querySelector(selector);
      this.picture = this.find(".picture");
      this.list = this.find(".scene-list");
      this.details = this.find(".scenes");
      this.details.open = false;
      this.input = this.find(".choice input");
      this.inputs = new Map();
      if (this.input) this.offer();
      this.find(".controls").hidden = false;
      this.find(".start").onclick = () => this.start();
      this.find(".leave").onclick = () => this.leave();
      this.find(".next").onclick = () => this.go(this.at + 1);
      this.find(".back").onclick = () => this.go(this.at - 1);
    }

    get scenes() { return this.list.querySelectorAll(".scene"); }

    offer() {
      const keep = (name, root) => this.inputs.set(name, [".picture", ".scene-list"].map((one) => root.querySelector(one).cloneNode(true)));
      keep(this.input.dataset.first, this.section);
      for (const template of this.section.querySelectorAll("template")) keep(template.dataset.name, template.content);
      this.input.onchange = () => this.choose();
      this.input.onfocus = () => this.input.select();
    }

    choose() {
      const same = (text) => text.trim().toLowerCase().replace(/\s+/g, " ");
      const name = [...this.inputs.keys()].find((one) => same(one) === same(this.input.value));
      const complaint = this.find(".complaint");
      this.input.setAttribute("aria-invalid", String(!name));
      complaint.textContent = name ? "" : `There are no numbers for “${this.input.value}”. There are some for: ${[...this.inputs.keys()].join(", ")}.`;
      if (!name) return;
      const [picture, list] = this.inputs.get(name).map((part) => part.cloneNode(true));
      this.picture.replaceChildren(...picture.childNodes);
      this.list.replaceChildren(...list.childNodes);
      dispatchEvent(new Event("resize"));
      if (active === this) this.go(this.at);
    }

    start() {
      active?.leave();
      active = this;
      this.details.open = true;
      for (let part = this.section; part !== document.body; part = part.parentElement) {
        for (const other of part.parentElement.children) if (other !== part && !/^(SCRIPT|STYLE|TEMPLATE)$/.test(other.tagName)) other.classList.add("aside");
      }
      document.body.classList.add("walking");
      history.replaceState(null, "", `#${this.section.id}`);
      scrollTo({ top: 0, behavior: "instant" });
      dispatchEvent(new Event("resize"));
      this.go(0);
      this.find(".next").focus({ preventScroll: true });
    }

    leave() {
      active = null;
      document.body.classList.remove("walking");
      for (const other of document.querySelectorAll(".aside")) other.classList.remove("aside");
      this.details.open = false;
      const svg = this.find("svg");
      svg.classList.remove("walked", "forward", "backward");
      for (const part of svg.querySelectorAll(".node, .edge")) part.classList.remove("now", "reached", "valued", "sloped");
      history.replaceState(null, "", location.pathname + location.search);
      this.section.scrollIntoView({ behavior: "instant" });
      this.find(".start").focus({ preventScroll: true });
    }

    go(k) {
      const last = this.scenes.length - 1;
      this.show(Math.min(Math.max(k, 0), last));
      const scene = this.scenes[this.at].getBoundingClientRect();
      const from = this.find(".stage").getBoundingClientRect().bottom;
      const middle = from + (innerHeight - from) / 2;
      this.deaf = performance.now() + 900;
      scrollBy({ top: scene.top + scene.height / 2 - middle, behavior: calm.matches ? "instant" : "smooth" });
      this.say();
    }

    scrolled() {
      if (performance.now() < this.deaf) return;
      const from = this.find(".stage").getBoundingClientRect().bottom;
      const middle = from + (innerHeight - from) / 2;
      const k = [...this.scenes].findIndex((scene) => scene.getBoundingClientRect().bottom > middle);
      const now = k < 0 ? this.scenes.length - 1 : k;
      if (now !== this.at) this.show(now);
    }

    show(k) {
      const scenes = this.scenes;
      this.at = k;
      scenes.forEach((scene, i) => {
        scene.classList.toggle("now", i === k);
        if (i === k) scene.setAttribute("aria-current", "step");
        else scene.removeAttribute("aria-current");
      });
      this.find(".place").textContent = `${k + 1} / ${scenes.length}`;
      this.find(".back").disabled = k === 0;
      this.find(".next").disabled = k === scenes.length - 1;
      this.light(k);
    }

    parts(scene) {
      const by = (kind) => scene.dataset[`${kind}s`].split(" ").filter(Boolean).map((n) => this.find(`svg [id$="-${kind}-${n}"]`));
      return [...by("node"), ...by("edge")];
    }

    light(k) {
      const svg = this.find("svg");
      svg.classList.add("walked");
      for (const part of svg.querySelectorAll(".node, .edge")) part.classList.remove("now", "reached", "valued", "sloped");
      [...this.scenes].slice(0, k + 1).forEach((scene, i) => {
        const back = scene.classList.contains("backward");
        svg.classList.toggle("backward", back);
        svg.classList.toggle("forward", !back);
        for (const part of this.parts(scene)) {
          part.classList.add("reached", back ? "sloped" : "valued");
          if (i === k) part.classList.add("now");
        }
      });
      this.reveal(svg.querySelector(".now"));
    }

    reveal(part) {
      if (!part) return;
      const [box, frame] = [part.getBoundingClientRect(), this.picture.getBoundingClientRect()];
      const by = box.left + box.width / 2 - frame.left - frame.width / 2;
      this.picture.scrollBy({ left: by, behavior: calm.matches ? "instant" : "smooth" });
    }

    say() {
      const scene = this.scenes[this.at];
      this.find(".said").replaceChildren(`${scene.dataset.said}: `, ...[...scene.children].map((part) => part.cloneNode(true)));
    }

    pressed(event) {
      const writes = event.target.matches("input");
      if (event.ctrlKey || event.altKey || event.metaKey || (writes && event.key !== "Escape")) return;
      if (event.key === " " && event.target.matches("button")) return;
      const back = BACK.has(event.key) || (event.key === " " && event.shiftKey);
      if (event.key === "Escape") this.leave();
      else if (event.key === "Home") this.go(0);
      else if (event.key === "End") this.go(this.scenes.length - 1);
      else if (back) this.go(this.at - 1);
      else if (FORWARD.has(event.key)) this.go(this.at + 1);
      else return;
      event.preventDefault();
    }
  }

  const walks = [...document.querySelectorAll(".walk")].map((section) => new Walk(section));
  addEventListener("keydown", (event) => active?.pressed(event));
  addEventListener("scroll", () => active && requestAnimationFrame(() => active?.scrolled()), { passive: true });
  addEventListener("scrollend", () => { if (active) active.deaf = 0; });
  walks.find((walk) => `#${walk.section.id}` === location.hash)?.start();
})();
