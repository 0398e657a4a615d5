// A small shop that sells tea: one order, one payment, fulfilled exactly once.
// Run it with `npm ci && node express_shop.js`, beside the payments API. It needs Node 20.
// Orders live in memory to keep the example short: a real shop keeps them in a database.
const { randomUUID } = require("node:crypto");
const { setTimeout: sleep } = require("node:timers/promises");
const express = require("express");

const API = process.env.PAYMENTS_API ?? "http://127.0.0.1:8000";
const KEY = process.env.PAYMENTS_KEY ?? "sk_test_51O62xYzAbcDef123";
const PORT = Number(process.env.PORT ?? 3000);
const SHOP_URL = process.env.SHOP_URL ?? `http://127.0.0.1:${PORT}`;
const POLL_SECONDS = Number(process.env.POLL_SECONDS ?? 60);
const TRIES = 3;
const ENDED = ["failed", "canceled", "expired", "blocked", "refunded"];

const orders = new Map();
const app = express();

// One call of the API. Sending it again is safe: a create carries an Idempotency-Key.
async function ask(method, path, body, headers = {}) {
  const credentials = Buffer.from(`${KEY}:`).toString("base64");
  for (let attempt = 0; attempt < TRIES; attempt += 1) {
    const answer = await fetch(API + path, {
      method,
      headers: {
        Authorization: `Basic ${credentials}`,
        "Content-Type": "application/json",
        ...headers,
      },
      body: body && JSON.stringify(body),
      signal: AbortSignal.timeout(30_000),
    }).catch(() => null); // whether it arrived is unknown: the same key asks for the same payment
    if (answer?.ok) return answer.json();
    if (answer && answer.status < 500 && answer.status !== 429) {
      throw new Error(`${answer.status} ${await answer.text()}`); // trying again cannot help
    }
    await sleep(1000 * 2 ** attempt);
  }
  throw new Error("the payments API does not answer");
}

app.get("/", (request, response) => {
  response.send('<form method="post" action="/orders"><button>Buy tea for 9.90 EUR</button></form>');
});

// The price is the shop's own. Nothing that the shopper sends decides what is charged.
app.post("/orders", async (request, response) => {
  const order = { id: randomUUID(), status: "open" };
  orders.set(order.id, order);
  const { data } = await ask(
    "POST",
    "/v1/payments/",
    {
      amount: "9.90",
      currency: "EUR",
      description: `Order ${order.id}`,
      items: ["Tea"],
      return_url: `${SHOP_URL}/orders/${order.id}`,
      metadata: { order: order.id },
    },
    { "Idempotency-Key": `order-${order.id}` },
  );
  order.payment = data.id_payment;
  response.redirect(303, data.redirect);
});

// The shopper is back. The `id_payment` in the URL proves nothing: anybody can type one.
app.get("/orders/:id", async (request, response) => {
  const order = orders.get(request.params.id);
  if (!order?.payment) return response.sendStatus(404);
  const payment = await settle(order);
  if (payment.paid) return response.send("Thank you. Your tea is on its way.");
  if (payment.status === "processing") {
    return response.set("Refresh", "3").send("Your payment is being processed.");
  }
  if (payment.status === "requires_action") {
    return response.send(`Not paid yet. <a href="${payment.redirect}">Pay now</a>`);
  }
  return response.send('This order was not paid. <a href="/">Start again</a>');
});

// Asks for the payment that was stored with this order, and acts on what it says.
async function settle(order) {
  const payment = await ask("GET", `/v1/payments/${order.payment}`);
  if (payment.paid) fulfil(order);
  else if (ENDED.includes(payment.status) && order.status === "open") order.status = "unpaid";
  return payment;
}

// Nothing waits between the question and the change, so of any number of calls one ships.
// In a database: UPDATE … SET status = 'fulfilled' WHERE id = … AND status = 'open'.
function fulfil(order) {
  if (order.status !== "open") return;
  order.status = "fulfilled";
  console.log(`SHIP ${order.id}`);
}

// Shoppers pay, close the tab, and never come back.
async function settleOpenOrders() {
  for (const order of orders.values()) {
    if (order.status !== "open" || !order.payment) continue;
    await settle(order).catch((error) => console.error(error.message)); // the next round asks again
  }
  setTimeout(settleOpenOrders, POLL_SECONDS * 1000);
}

app.listen(PORT, "127.0.0.1", settleOpenOrders);
