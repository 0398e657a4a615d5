// Makes the form nicer to fill in; everything works without it.
"use strict";

const form = document.getElementById("pay");
const number = document.getElementById("card_number");

// Groups the digits as they stand on the card: 4-6-5 for American Express, fours for the rest.
number.addEventListener("input", () => {
  if (number.selectionStart !== number.value.length) return;
  const digits = number.value.replace(/\D/g, "").slice(0, 19);
  const groups = /^3[47]/.test(digits) ? /^(\d{1,4})(\d{1,6})?(\d{1,5})?/ : null;
  const parts = groups ? (digits.match(groups) || []).slice(1) : digits.match(/\d{1,4}/g) || [];
  number.value = parts.filter(Boolean).join(" ");
});

// One submission: the server takes a form sent twice as one attempt, the button says so too.
form.addEventListener("submit", () => {
  const button = form.querySelector("button");
  button.textContent = button.dataset.busy;
  setTimeout(() => { button.disabled = true; }, 0);
});

const problems = document.getElementById("problems");
if (problems) problems.focus();
