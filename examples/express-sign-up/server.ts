/** A sign-up behind Ringfence: Express, with the check of `ringfence/fetch`. */
import { join } from 'node:path';
import express from 'express';
import { createCheck } from 'ringfence/fetch';
import { report } from '../shared/report.ts';
import { settingsFrom } from '../shared/settings.ts';

const { RINGFENCE_URL = 'http://127.0.0.1:8787', RINGFENCE_KEY = '', PORT = '3000' } = process.env;

const check = createCheck({
  from: { url: RINGFENCE_URL, key: RINGFENCE_KEY },
  ...settingsFrom(process.env),
});

const app = express();
app.disable('x-powered-by');
// The form.
app.use(express.static(join(import.meta.dirname, '..', 'shared', 'public')));

app.post('/sign-up', express.json(), async (req, res) => {
  const { phone } = req.body ?? {};
  const token = req.get('cf-turnstile-response');
  const result = await check({ number: phone, scenario: 'signup', turnstileToken: token });
  report(result);
  if (!result.pass) {
    res.status(403).json({ code: result.outcome === 'challenge' ? 'challenge-required' : 'request-refused' });
    return;
  }
  if (!phone) {
    res.status(400).json({ code: 'phone-missing' });
    return;
  }
  // Here an account would be made; result.outcome === 'flag' would have someone look at it.
  res.status(201).json({ account: 'created' });
});

app.listen(Number(PORT), '127.0.0.1', () => console.log(`listening on http://127.0.0.1:${PORT}`));
