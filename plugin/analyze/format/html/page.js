"use strict";
// The page works without this script, but for the chart, the search and sorting.
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const $ = (id) => document.getElementById(id);
  const make = (tag, props = {}, ...children) => {
    const e = Object.assign(document.createElement(tag), props);
    e.append(...children);
    return e;
  };

  // size is a number of bytes as the rest of the page has it: 1.5MB.
  const size = (n) => {
    let unit = 0;
    while (n >= 1000 && unit < 5) { n /= 1000; unit++; }
    return Number(n.toPrecision(3)) + ["B", "kB", "MB", "GB", "TB", "PB"][unit];
  };

  // A view is {name, path, bytes, dead, layers: Map of bytes, children}.
  const LIVE = -1;
  const view = (box, path, wants) => {
    const v = { name: box.n, path, files: box.f || 0, bytes: 0, dead: 0, layers: new Map(), children: [] };
    const add = (layer, bytes, dead) => {
      v.bytes += bytes;
      v.dead += dead;
      v.layers.set(layer, (v.layers.get(layer) || 0) + bytes);
    };
    for (const [layer, bytes, buried] of box.e || []) {
      if (wants(layer, buried)) add(layer, bytes, buried === LIVE ? 0 : bytes);
    }
    for (const c of box.c || []) {
      const child = view(c, c.n ? path + "/" + c.n : path, wants);
      if (!child.bytes) continue;
      if (!c.n) child.name = `${c.f} smaller files`;
      v.children.push(child);
      v.bytes += child.bytes;
      v.dead += child.dead;
      for (const [layer, bytes] of child.layers) v.layers.set(layer, (v.layers.get(layer) || 0) + bytes);
    }
    v.children.sort((a, b) => b.bytes - a.bytes);
    return v;
  };

  const of = { shipped: () => true, live: (buried) => buried === LIVE, dead: (buried) => buried !== LIVE };
  const byPath = (wants) => Object.assign(view(data.root, "", (_, buried) => wants(buried)), { name: "/" });
  const byLayer = (wants) => {
    const all = { name: "all layers", path: "", bytes: 0, dead: 0, files: 0, layers: new Map(), children: [] };
    data.layers.forEach((text, i) => {
      const v = view(data.root, "", (layer, buried) => layer === i && wants(buried));
      if (!v.bytes) return;
      v.name = `${i} ${text || "layer"}`;
      all.children.push(v);
      all.bytes += v.bytes;
      all.dead += v.dead;
      all.layers.set(i, v.bytes);
    });
    all.children.sort((a, b) => b.bytes - a.bytes);
    return all;
  };

  // The colour is that of the layer that ships most of it; a base image's are grey.
  const hues = [212, 152, 268, 190, 330, 95, 240, 172];
  const own = data.base.map((base, i) => data.base.slice(0, i).filter((b) => !b).length);
  const fill = (v, depth) => {
    let layer = 0, most = -1;
    for (const [i, bytes] of v.layers) if (bytes > most) [layer, most] = [i, bytes];
    const light = [86 - depth * 5, 30 + depth * 5];
    const [hue, rich] = data.base[layer] ? [215, 8] : [hues[own[layer] % hues.length], 48];
    return `light-dark(hsl(${hue} ${rich}% ${light[0]}%), hsl(${hue} ${rich - 6}% ${light[1]}%))`;
  };

  // squarify lays items out in a rectangle, near to squares
  // (Bruls, Huizing, van Wijk: Squarified Treemaps, 2000).
  const squarify = (items, box, place) => {
    let { x, y, w, h } = box;
    let left = items.reduce((sum, v) => sum + v.bytes, 0);
    for (let i = 0; i < items.length && left > 0;) {
      const scale = (w * h) / left, side = Math.min(w, h);
      let end = i, sum = 0, worst = Infinity;
      while (end < items.length) {
        const next = sum + items[end].bytes * scale;
        const ratio = (a) => Math.max((side * side * a) / (next * next), (next * next) / (side * side * a));
        const now = Math.max(ratio(items[i].bytes * scale), ratio(items[end].bytes * scale));
        if (now > worst) break;
        [worst, sum, end] = [now, next, end + 1];
      }
      const thick = side > 0 ? sum / side : 0;
      let at = 0;
      for (; i < end; i++) {
        const long = thick > 0 ? (items[i].bytes * scale) / thick : 0;
        place(items[i], w >= h ? { x, y: y + at, w: thick, h: long } : { x: x + at, y, w: long, h: thick });
        at += long;
        left -= items[i].bytes;
      }
      if (w >= h) { x += thick; w -= thick; } else { y += thick; h -= thick; }
    }
  };

  let trail = []; // from the root to what is shown
  const here = () => trail[trail.length - 1];
  const LABEL = 18; // pixels
  const words = (v) => `${v.name}: ${size(v.bytes)}${v.dead ? `, ${size(v.dead)} of it dead` : ""}`;

  const put = (e, box, whole) => {
    // In percent, so that it fits on paper as well.
    e.style.left = (100 * box.x) / whole.w + "%";
    e.style.top = (100 * box.y) / whole.h + "%";
    e.style.width = (100 * box.w) / whole.w + "%";
    e.style.height = (100 * box.h) / whole.h + "%";
  };

  const tile = (v, box, whole, depth) => {
    const open = depth === 0 && v.children.length > 0;
    const e = make(open ? "button" : "div", { className: depth ? "inner" : "tile", title: words(v) });
    put(e, box, whole);
    e.style.setProperty("--fill", fill(v, depth));
    if (depth === 0) {
      e.dataset.path = v.path || v.name;
      e.setAttribute("aria-label", words(v) + (open ? ", open" : ""));
      if (!open) e.setAttribute("role", "img");
    }
    if (open) e.addEventListener("click", () => { trail.push(v); draw(true); });
    const labelled = box.w > 44 && box.h > LABEL;
    if (labelled) e.append(make("span", { className: "label" }, make("b", { textContent: v.name }), ` ${size(v.bytes)}`));
    const inner = { x: 0, y: labelled ? LABEL : 0, w: box.w, h: box.h - (labelled ? LABEL : 0) };
    if (depth < 2 && v.children.length && inner.w > 30 && inner.h > 20) {
      squarify(v.children, inner, (c, b) => {
        if (b.w > 3 && b.h > 3) e.append(tile(c, b, { w: box.w, h: box.h }, depth + 1));
      });
    } else if (v.dead) {
      const rot = make("span", { className: "rot" });
      rot.style.height = (100 * v.dead) / v.bytes + "%";
      e.append(rot);
    }
    return e;
  };

  const draw = (focus) => {
    const v = here(), map = $("treemap");
    map.classList.toggle("empty", !v.bytes);
    const whole = { x: 0, y: 0, w: map.clientWidth, h: map.clientHeight };
    map.replaceChildren();
    squarify(v.children.length ? v.children : [v], whole, (c, b) => {
      if (b.w > 1 && b.h > 1) map.append(tile(c, b, whole, 0));
    });
    if (!v.bytes) map.textContent = "No such bytes.";
    const crumbs = trail.flatMap((step, i) => {
      const b = make("button", { type: "button", textContent: step.name });
      b.addEventListener("click", () => { trail.length = i + 1; draw(true); });
      if (i === trail.length - 1) b.setAttribute("aria-current", "true");
      return i ? [" › ", b] : [b];
    });
    $("crumbs").replaceChildren(...crumbs, ` ${size(v.bytes)}`);
    list();
    if (focus) $("crumbs").querySelector("[aria-current]").focus();
    dim();
  };

  const ROWS = 15;
  const row = (v, name) => make("tr", {},
    make("td", { className: "text" }, make("code", { textContent: name })),
    make("td", { className: "n", textContent: size(v.bytes) }),
    make("td", { className: "n", textContent: v.dead ? size(v.dead) : "–" }),
    make("td", { textContent: [...v.layers.keys()].sort((a, b) => a - b).join(", ") }));

  // list shows as a table what the chart shows, or what was searched for.
  const list = () => {
    const query = $("search").value.trim().toLowerCase();
    const [caption, body] = [$("folder").caption, $("folder").tBodies[0]];
    let rows = here().children;
    if (query) {
      rows = [];
      const find = (v) => {
        if (v.path && !v.children.length && v.path.toLowerCase().includes(query)) rows.push(v);
        v.children.forEach(find);
      };
      find(trail[0]);
      rows.sort((a, b) => b.bytes - a.bytes);
    }
    caption.textContent = query ? `${rows.length} paths have “${query}”` : "The largest here";
    if (rows.length > ROWS) caption.textContent += `; the largest ${ROWS}`;
    body.replaceChildren(...rows.slice(0, ROWS).map((v) => row(v, query ? v.path : v.name)));
    $("folder").hidden = !rows.length && !query;
    return rows.length;
  };

  const reset = () => {
    const wants = of[document.querySelector("[name=of]:checked").value];
    trail = [document.querySelector("[name=by]:checked").value === "path" ? byPath(wants) : byLayer(wants)];
    draw(false);
  };

  // dim fades what was not searched for.
  const dim = () => {
    const query = $("search").value.trim().toLowerCase();
    const has = (v) => (v.path || v.name).toLowerCase().includes(query) || v.children.some(has);
    const hit = new Set(query ? here().children.filter(has).map((v) => v.path || v.name) : []);
    for (const t of $("treemap").querySelectorAll(".tile")) t.classList.toggle("dim", query !== "" && !hit.has(t.dataset.path));
  };

  const search = () => {
    const query = $("search").value.trim().toLowerCase();
    let hits = 0;
    for (const e of document.querySelectorAll("[data-search]")) {
      e.hidden = query !== "" && !e.dataset.search.toLowerCase().includes(query);
      if (!e.hidden) hits++;
    }
    const paths = list();
    dim();
    $("hits").textContent = query ? `${hits} rows and ${paths} paths` : "";
  };

  const sortable = (table) => {
    for (const th of table.tHead.rows[0].cells) {
      const b = make("button", { type: "button", textContent: th.textContent });
      th.replaceChildren(b);
      b.addEventListener("click", () => {
        const numeric = th.dataset.sort === "number";
        const down = th.hasAttribute("aria-sort") ? th.getAttribute("aria-sort") === "ascending" : numeric;
        for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
        th.setAttribute("aria-sort", down ? "descending" : "ascending");
        const key = (r) => numeric ? Number(r.cells[th.cellIndex].dataset.value) : r.cells[th.cellIndex].textContent;
        const order = (a, b) => numeric ? key(a) - key(b) : key(a).localeCompare(key(b));
        table.tBodies[0].append(...[...table.tBodies[0].rows].sort((a, b) => (down ? order(b, a) : order(a, b))));
      });
    }
  };

  document.querySelector(".controls").hidden = false;
  document.querySelectorAll(".sortable").forEach(sortable);
  document.querySelectorAll("[name=of], [name=by]").forEach((e) => e.addEventListener("change", reset));
  $("search").addEventListener("input", search);
  document.addEventListener("keydown", (e) => {
    if (e.key === "/" && document.activeElement !== $("search")) { e.preventDefault(); $("search").focus(); }
    if (e.key === "Escape" && document.activeElement === $("search")) { $("search").value = ""; search(); }
    else if (e.key === "Escape" && trail.length > 1) { trail.pop(); draw(true); }
  });
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    closed.forEach((d) => { d.open = true; });
  });
  addEventListener("afterprint", () => closed.forEach((d) => { d.open = false; }));
  let width = $("treemap").clientWidth;
  new ResizeObserver(() => {
    if ($("treemap").clientWidth === width) return;
    width = $("treemap").clientWidth;
    draw(false);
  }).observe($("treemap"));
  reset();
})();
