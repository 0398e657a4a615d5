// Makes the pages nicer to use; everything works without it.
"use strict";

const form = document.getElementById("pay");
const waiting = document.getElementById("waiting");

// ---------------------------------------------------------------- the card, while it is typed

const digitsOf = (input) => input.value.replace(/[ \u00a0-]/g, "");

// What the server knows of the card schemes stands beside the field, once for both.
const schemes = [...document.querySelectorAll("[data-starts]")].map((mark) => ({
  mark,
  name: mark.title,
  brand: mark.dataset.brand,
  starts: new RegExp(`^(?:${mark.dataset.starts})`),
  lengths: mark.dataset.lengths.split(" ").map(Number),
  cvcDigits: Number(mark.dataset.cvcDigits),
}));

const schemeOf = (digits) => schemes.find(({ starts }) => starts.test(digits));

// Groups the digits as they stand on the card: 4-6-5 for American Express, fours for the rest.
function groupDigits(number) {
  if (number.selectionStart !== number.value.length) return;
  const digits = number.value.replace(/\D/g, "").slice(0, 19);
  const groups = /^3[47]/.test(digits) ? /^(\d{1,4})(\d{1,6})?(\d{1,5})?/ : null;
  const parts = groups ? (digits.match(groups) || []).slice(1) : digits.match(/\d{1,4}/g) || [];
  number.value = parts.filter(Boolean).join(" ");
}

function showBrand() {
  const scheme = schemeOf(digitsOf(form.card_number));
  const badge = document.getElementById("brand");
  const name = document.getElementById("brand-name");
  badge.hidden = !scheme;
  badge.dataset.brand = scheme ? scheme.brand : "";
  if (name.textContent !== (scheme ? scheme.name : "")) name.textContent = scheme ? scheme.name : "";
  for (const { mark } of schemes) mark.classList.toggle("other", !!scheme && mark !== scheme.mark);
}

// ---------------------------------------------------------------- what is wrong, before it is sent

function isLuhnValid(digits) {
  const sum = [...digits].reverse().reduce((total, digit, place) => {
    const value = Number(digit) * (place % 2 ? 2 : 1);
    return total + (value > 9 ? value - 9 : value);
  }, 0);
  return sum % 10 === 0;
}

function faultOfNumber(input) {
  const digits = digitsOf(input);
  const scheme = schemeOf(digits);
  if (!digits) return input.dataset.required;
  if (!/^\d{12,19}$/.test(digits) || !isLuhnValid(digits)) return input.dataset.invalid;
  if (!scheme) return input.dataset.unsupported;
  return scheme.lengths.includes(digits.length) ? null : input.dataset.invalid;
}

function faultOf(input, pattern) {
  const value = input.value.trim();
  return value ? (pattern.test(value) ? null : input.dataset.invalid) : input.dataset.required;
}

// Whether the card has expired is left to the server: the shopper's clock may be wrong.
function findFaults() {
  const cvcDigits = schemeOf(digitsOf(form.card_number))?.cvcDigits;
  const cvcPattern = new RegExp(cvcDigits ? `^\\d{${cvcDigits}}$` : "^\\d{3,4}$");
  const faults = [
    [form.card_number, faultOfNumber(form.card_number)],
    [form.exp_month, faultOf(form.exp_month, /^(0?[1-9]|1[0-2])$/)],
    [form.exp_year, faultOf(form.exp_year, /^(\d{2}|[1-9]\d{3})$/)],
    [form.cvc, faultOf(form.cvc, cvcPattern)?.replace("{digits}", cvcDigits ?? 3)],
    [form.elements.name, faultOf(form.elements.name, /^.{2,45}$/)],
  ];
  return faults.filter(([, message]) => message);
}

function clearFaults() {
  document.getElementById("problems")?.remove();
  for (const error of form.querySelectorAll(".error")) error.remove();
  for (const input of form.querySelectorAll("[aria-invalid]")) {
    input.removeAttribute("aria-invalid");
    const others = (input.getAttribute("aria-describedby") || "").replace(`${input.id}-error`, "");
    input.setAttribute("aria-describedby", others.trim());
  }
}

function showFaults(faults) {
  const summary = document.getElementById("problems-template").content.cloneNode(true);
  const list = summary.querySelector("ul");
  for (const [input, message] of faults) {
    const error = Object.assign(document.createElement("p"), {
      className: "error", id: `${input.id}-error`, textContent: message,
    });
    const link = Object.assign(document.createElement("a"), {
      href: `#${input.id}`, textContent: message,
    });
    const control = input.closest(".control");
    const isRepeated = control.previousElementSibling?.textContent === message;
    error.hidden = isRepeated;
    control.before(error);
    if (!isRepeated) list.appendChild(document.createElement("li")).append(link);
    const described = `${error.id} ${input.getAttribute("aria-describedby") || ""}`;
    input.setAttribute("aria-describedby", described.trim());
    input.setAttribute("aria-invalid", "true");
  }
  document.querySelector(".panel").prepend(summary);
  document.getElementById("problems").focus();
}

// ---------------------------------------------------------------- one submission, and saying so

const LONGEST_ANSWER_MS = 30_000;
let rest = 0;

// The server takes a form sent twice as one attempt; this is so that nobody wonders.
function showBusy(sent) {
  document.body.classList.add("busy");
  const button = sent.querySelector("button[data-busy]");
  if (button) {
    button.dataset.idle = button.textContent;
    button.textContent = button.dataset.busy;
    button.setAttribute("aria-disabled", "true");
    const progress = sent.querySelector(".progress");
    progress.textContent = progress.dataset.text;
  }
  rest = setTimeout(showIdle, LONGEST_ANSWER_MS);
}

// Also what the back button needs: the page may come back as it was left.
function showIdle() {
  clearTimeout(rest);
  document.body.classList.remove("busy");
  for (const button of document.querySelectorAll("button[data-idle]")) {
    button.textContent = button.dataset.idle;
    delete button.dataset.idle;
    button.removeAttribute("aria-disabled");
  }
  for (const progress of document.querySelectorAll(".progress")) progress.textContent = "";
}

function submitOnce(event) {
  if (document.body.classList.contains("busy")) {
    event.preventDefault();
    return;
  }
  if (event.target === form) {
    clearFaults();
    const faults = findFaults();
    if (faults.length) {
      event.preventDefault();
      showFaults(faults);
      return;
    }
  }
  showBusy(event.target);
}

// ---------------------------------------------------------------- waiting for the outcome

const LOOKS = 150;
const LOOK_EVERY_MS = 2_000;

async function follow(url) {
  for (let look = 0; look < LOOKS; look += 1) {
    await new Promise((resume) => setTimeout(resume, LOOK_EVERY_MS));
    try {
      const answer = await fetch(url, { headers: { Accept: "application/json" } });
      if (answer.ok && (await answer.json()).status !== "processing") {
        location.replace(url);
        return;
      }
    } catch {
      // Offline for a moment: the next look will tell.
    }
  }
}

if (form) {
  form.card_number.addEventListener("input", () => {
    groupDigits(form.card_number);
    showBrand();
  });
  document.addEventListener("submit", submitOnce);
  window.addEventListener("pageshow", () => {
    showIdle();
    showBrand();
  });
  document.getElementById("problems")?.focus();
}
if (waiting) follow(waiting.dataset.next);
