/**
 * The page is changed where the state has changed, and nowhere else: what has the focus keeps it, what is open stays open, and
 * what is selected is left alone until it is not.
 */

/** An element with attributes and children; texts are never read as HTML. */
export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) setAttribute(made, name, value);
  made.append(...children);
  return made;
}

/** `undefined` and `false` remove it. */
export function setAttribute(target, name, value) {
  if (value === undefined || value === false) target.removeAttribute(name);
  else if (target.getAttribute(name) !== String(value)) target.setAttribute(name, String(value));
}

export function setText(target, text) {
  if (target.textContent !== text && !isSelected(target)) target.textContent = text;
}

function isSelected(node) {
  const selection = document.getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(node, true);
}

/**
 * Keeps one row for each item, by its key.
 * @param parentOf the element in which the row of an item stands
 * @param createRow makes `{ root, update(item) }`
 */
export function createList({ keyOf, parentOf, createRow }) {
  const rows = new Map();
  return (items) => {
    const keys = new Set(items.map(keyOf));
    for (const [key, row] of rows) {
      if (keys.has(key) || isSelected(row.root)) continue;
      // The focus must not fall back to the start of the page.
      if (row.root.contains(document.activeElement)) row.root.closest("section")?.focus({ preventScroll: true });
      row.root.remove();
      rows.delete(key);
    }
    const nextOf = new Map();
    for (const item of items) {
      const row = rows.get(keyOf(item)) ?? createRow(item);
      rows.set(keyOf(item), row);
      row.update(item);
      const parent = parentOf(item);
      const next = nextOf.has(parent) ? nextOf.get(parent) : parent.firstElementChild;
      nextOf.set(parent, place(row.root, parent, next));
    }
  };
}

/** Puts a row in front of `next`. @returns the row behind it */
function place(row, parent, next) {
  if (row === next) return next.nextElementSibling;
  if (row.parentElement === parent && isSelected(row)) {
    // It stays, and those between go behind it: they are placed later.
    for (let one = next; one !== null && one !== row; one = next) {
      next = one.nextElementSibling;
      if (!isSelected(one)) move(one, parent, null);
    }
    return row.nextElementSibling;
  }
  // What is selected goes elsewhere when it is not any more.
  if (!row.isConnected || !isSelected(row)) move(row, parent, next);
  return next;
}

/** Moving a row ends a selection in it, and takes the focus, which can be given back. */
function move(row, parent, next) {
  const focused = row.contains(document.activeElement) ? document.activeElement : undefined;
  parent.insertBefore(row, next);
  focused?.focus({ preventScroll: true });
}

/** Terms and values of a `<dl>`: `{ term: "12/s" }`; what is undefined is not shown. @param terms all that there can be */
export function createTerms(terms, attributes = {}) {
  const root = element("dl", attributes);
  const rows = terms.map((term) => {
    const value = element("dd");
    const row = element("div", {}, element("dt", {}, term), value);
    root.append(row);
    return { term, row, value };
  });
  const update = (values) => {
    for (const { term, row, value } of rows) {
      row.hidden = values[term] === undefined;
      setText(value, values[term] ?? "");
    }
  };
  return { root, update };
}
