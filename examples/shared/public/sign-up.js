/** Sends the form, says what came of it, and does the step-up when the answer asks for one. */
const form = document.querySelector('#sign-up');
const button = form.querySelector('[type=submit]');
const outcome = document.querySelector('#outcome');
const widget = document.querySelector('#widget');

const REFUSED = ['We cannot open an account with this number. Please use another one.', 'bad'];
const FAILED = ['Something went wrong. Please try again.', 'bad'];
const NOT_VERIFIED = ['The verification did not work. Please try again.', 'bad'];

function say(text, kind = '') {
  outcome.textContent = text;
  outcome.className = kind;
  outcome.scrollIntoView({ block: 'nearest' });
}

async function send(token) {
  const { email, phone } = form.elements;
  const response = await fetch('sign-up', {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...(token ? { 'cf-turnstile-response': token } : {}) },
    body: JSON.stringify({ email: email.value, phone: phone.value }),
  });
  return { ok: response.ok, code: (await response.json()).code };
}

async function signUp() {
  say('One moment ...');
  let answer = await send();
  if (answer.code === 'challenge-required') {
    say('One more step: please show that you are not a robot.');
    const token = await solveChallenge().catch(() => null);
    answer = token === null ? answer : await send(token);
  }
  if (answer.ok) return say('Done: your account has been created.', 'good');
  if (answer.code === 'challenge-required') return say(...NOT_VERIFIED);
  return say(...(answer.code === 'request-refused' ? REFUSED : FAILED));
}

/** Turnstile's widget. Resolves to its token; rejects when it does not load or gives up. */
async function solveChallenge() {
  const turnstile = await loadTurnstile();
  try {
    return await new Promise((resolve, reject) => {
      turnstile.render(widget, { sitekey: form.dataset.sitekey, callback: resolve, 'error-callback': reject });
    });
  } finally {
    widget.replaceChildren();
  }
}

function loadTurnstile() {
  if (window.turnstile) return Promise.resolve(window.turnstile);
  return new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = 'https://challenges.cloudflare.com/turnstile/v0/api.js?render=explicit';
    script.addEventListener('load', () => resolve(window.turnstile));
    script.addEventListener('error', reject);
    document.head.append(script);
  });
}

form.addEventListener('submit', async (event) => {
  event.preventDefault();
  button.disabled = true;
  await signUp().catch(() => say(...FAILED));
  button.disabled = false;
});

for (const example of document.querySelectorAll('[data-phone]')) {
  example.addEventListener('click', () => {
    form.elements.phone.value = example.dataset.phone;
    form.elements.email.value ||= 'you@example.com';
    form.requestSubmit();
  });
}
