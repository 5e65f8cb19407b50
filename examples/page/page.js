"use strict";
(() => {
const $ = id => document.getElementById(id);
const files = {crls: []};
const names = {certificate: "certificate", user: "user", tenant: "tenant", then: "then", strength: "strength"};
let started = performance.now();

const element = (name, text) => {
  const e = document.createElement(name);
  if (text !== undefined) e.textContent = text;
  return e;
};

// show puts the answer on the page. All texts are texts; the report is HTML that
// the program made, without scripts, and the policy would not run any.
const show = answer => {
  $("problems").replaceChildren(...answer.problems.map(p => element("p", p.about + ": " + p.text)));
  const ids = [];
  if (answer.subject) {
    ids.push(element("h2", "The certificate"), element("p", answer.subject));
    if (answer.note) ids.push(element("p", answer.note));
    const table = element("table"), head = element("tr");
    head.append(element("th", "Mapping"), element("th", "For certificateUserIds"));
    for (const cell of head.children) cell.scope = "col";
    table.append(head);
    for (const id of answer.certificateUserIds || []) {
      const row = element("tr"), value = element("td", id.value);
      value.className = "value";
      row.append(element("td", id.mapping), value);
      table.append(row);
    }
    const wide = element("div");
    wide.className = "wide";
    wide.tabIndex = 0; // so that keys scroll it
    wide.setAttribute("role", "region");
    wide.setAttribute("aria-label", "Values for certificateUserIds");
    wide.append(table);
    ids.push(wide);
  }
  $("ids").replaceChildren(...ids);
  const made = answer.page ? new DOMParser().parseFromString(answer.page, "text/html").querySelector("main") : null;
  $("answer").replaceChildren(...(made ? made.childNodes : []));
};

const answer = () => {
  if (!window.ask) return;
  const began = performance.now();
  const at = $("at").value;
  const text = window.ask({...files, password: $("password").value, require: $("require").value, at: at ? at + (at.length === 16 ? ":00Z" : "Z") : ""});
  window.last = text;
  show(JSON.parse(text));
  const missing = ["certificate", "user", "tenant"].filter(n => !files[n]);
  $("state").textContent = missing.length ? "For a verdict, give also: " + missing.join(", ") + "." :
    "Answered in " + Math.ceil(performance.now() - began) + " ms.";
};

const octets = async file => new Uint8Array(await file.arrayBuffer());

for (const id of [...Object.keys(names), "crl"]) {
  $(id).addEventListener("change", async e => {
    const all = await Promise.all([...e.target.files].map(octets));
    if (id === "crl") files.crls = all; else files[id] = all[0];
    answer();
  });
}
for (const id of ["password", "require", "at"]) $(id).addEventListener("change", answer);
$("desk").addEventListener("submit", e => e.preventDefault());

document.addEventListener("dragover", e => { e.preventDefault(); document.body.classList.add("over"); });
document.addEventListener("dragleave", () => document.body.classList.remove("over"));
document.addEventListener("drop", async e => {
  e.preventDefault();
  document.body.classList.remove("over");
  for (const file of e.dataTransfer.files) {
    const content = await octets(file);
    const kind = e.target.id in names && e.dataTransfer.files.length === 1 ? e.target.id : window.kindOf(content);
    if (kind === "crl") files.crls.push(content); else files[kind] = content;
  }
  answer();
});

document.addEventListener("ready", () => {
  window.readyAfter = performance.now() - started;
  $("state").textContent = "Ready.";
  answer();
});

(async () => {
  const packed = $("program").textContent;
  let bytes;
  if (Uint8Array.fromBase64) bytes = Uint8Array.fromBase64(packed);
  else {
    const text = atob(packed);
    bytes = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  }
  $("program").remove();
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const go = new Go();
  const {instance} = await WebAssembly.instantiate(await new Response(unpacked).arrayBuffer(), go.importObject);
  go.run(instance);
})().catch(e => { $("state").textContent = "This browser cannot run the page: " + e.message; });
})();
