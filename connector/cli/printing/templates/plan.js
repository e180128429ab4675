"use strict";
const rows = [...document.querySelectorAll(".row")].map(row => ({row, text: row.textContent.toLowerCase()}));
const find = document.getElementById("find"), only = document.getElementById("conflicts");
const show = () => {
  const words = find.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const {row, text} of rows) {
    const hit = words.every(word => text.includes(word)) && (!only.checked || "conflict" in row.dataset);
    row.hidden = !hit;
    shown += hit;
  }
  for (const group of document.querySelectorAll("details:not(.plain)"))
    group.hidden = !group.querySelector(".row:not([hidden])");
  document.getElementById("shown").textContent = `${shown} of ${rows.length} rows`;
};
if (find) { find.addEventListener("input", show); only.addEventListener("change", show); show(); }
