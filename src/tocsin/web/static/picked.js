// Which alerts are picked. None means all: the buttons say so.

export class Picked {
  constructor(grid) {
    this.grid = grid;
    this.ids = new Set();
    this.anchor = 0;
  }

  get size() {
    return this.ids.size;
  }

  has(id) {
    return this.ids.has(id);
  }

  only(at) {
    const { id } = this.grid.rows[at];
    const alone = this.ids.size === 1 && this.ids.has(id);
    this.ids = alone ? new Set() : new Set([id]);
    this.changed(at);
  }

  toggle(at) {
    const row = this.grid.rows[at];
    if (!row) return;
    if (!this.ids.delete(row.id)) this.ids.add(row.id);
    this.changed(at);
  }

  // From where the last picking began to here, in the order shown.
  extend(at) {
    const anchor = this.anchor;
    const [first, last] = anchor < at ? [anchor, at] : [at, anchor];
    this.ids = new Set(this.grid.rows.slice(first, last + 1).map((row) => row.id));
    this.changed(anchor);
  }

  async all() {
    await this.grid.have(this.grid.total);
    this.ids = new Set(this.grid.rows.map((row) => row.id));
    this.changed(this.anchor);
  }

  none() {
    this.ids = new Set();
    this.changed(this.grid.cursor);
  }

  changed(anchor) {
    this.anchor = anchor;
    this.say();
    this.grid.paint();
  }

  say() {
    const { size } = this;
    const picked = document.getElementById("picked");
    if (picked) picked.textContent = size ? `${size.toLocaleString("en")} selected` : "";
    for (const [id, verb] of [["close", "Close"], ["open", "Open"]]) {
      const what = document.querySelector(`#${id} .what`);
      if (what) what.textContent = size ? `${verb} ${size.toLocaleString("en")} selected` : `${verb} all`;
    }
  }
}
