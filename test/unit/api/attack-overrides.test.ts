/** Overrides with odd reasons, numbers and times, and forged cursors of the trail that they leave. */
import { beforeEach, describe, expect, it } from 'vitest';
import { NUMBER, QUERY, Scene } from './attack-support.ts';
import { ADMIN_KEY } from './harness.ts';

let scene: Scene;

beforeEach(async () => {
  scene = await Scene.open();
});

describe('an override', () => {
  it.each([
    ['a right-to-left override', '\u202e+12025550199'],
    ['markup', '</script><script>'],
    ['500 units', '😀'.repeat(250)],
  ])('keeps a reason with %s as it is', async (_, reason) => {
    expect((await scene.put(scene.shop, { reason })).json).toMatchObject({ reason });
    expect(await scene.list(scene.shop)).toMatchObject([{ reason }]);
    const { json } = await scene.harness.call('GET', '/v1/audit', { key: scene.shop });
    expect(json).toMatchObject({ entries: [{ override: { reason } }] });
    expect(await scene.lookup(scene.shop)).toMatchObject({ rule: 'override' });
  });

  it.each(['a\u0000b', 'a\u001b[31m', 'a\r\nb', 'a\ud800b'])(
    'needs a reason of one line of text: %j',
    async (reason) => {
      expect((await scene.put(scene.shop, { reason })).json).toMatchObject({ field: 'reason' });
    },
  );

  it.each(['   ', '\ufeff\u00a0', `${'😀'.repeat(250)}x`])('needs a reason of 1 to 500 units: %j', async (reason) => {
    expect((await scene.put(scene.shop, { reason })).json).toMatchObject({ field: 'reason' });
  });

  it('of a national number is read and deleted with its country, and that of another number stays', async () => {
    await scene.put(scene.shop, { number: '+4915712345678' });
    await scene.put(scene.shop, { number: '+15712345678' });
    const path = '/v1/overrides?number=015712345678&country=DE';
    expect((await scene.harness.call('GET', path, { key: scene.shop })).json).toMatchObject({
      number: '+4915712345678',
    });
    expect((await scene.harness.call('DELETE', path, { key: scene.shop })).status).toBe(204);
    expect(await scene.list(scene.shop)).toMatchObject([{ number: '+15712345678' }]);
    const bad = await scene.harness.call('DELETE', '/v1/overrides?number=1&country=XX', { key: scene.shop });
    expect(bad.json).toMatchObject({ status: 400 });
  });

  it('cannot last beyond the year 9999', async () => {
    for (const expiresAt of ['9999-12-31T23:59:59-23:59', '9999-12-31T23:59:59-00:01']) {
      expect((await scene.put(scene.shop, { expiresAt })).json).toMatchObject({ field: 'expiresAt' });
    }
    expect((await scene.put(scene.shop, { expiresAt: '9999-12-31' })).status).toBe(200);
  });

  it('is one, however its number is written', async () => {
    const spellings = [
      '+1 (202) 555-0123',
      'tel:+1-202-555-0123',
      '0012025550123',
      '＋１２０２５５５０１２３',
      '\n+1\u202f202\u00a05550123\t',
    ];
    for (const number of spellings)
      expect((await scene.put(scene.shop, { number })).json).toMatchObject({ number: NUMBER });
    expect((await scene.put(scene.shop, { number: '(202) 555-0123', country: 'us' })).json).toMatchObject({
      number: NUMBER,
    });
    expect(await scene.list(scene.shop)).toHaveLength(1);
    for (const number of spellings) {
      const { json } = await scene.harness.call('GET', `/v1/overrides?number=${encodeURIComponent(number)}`, {
        key: scene.shop,
      });
      expect(json).toMatchObject({ number: NUMBER });
      expect(await scene.lookup(scene.shop, { number })).toMatchObject({ rule: 'override' });
    }
    expect(await scene.lookup(scene.shop, { number: '202 555 0123', country: 'US' })).toMatchObject({
      rule: 'override',
    });
    expect(
      (await scene.harness.call('DELETE', '/v1/overrides?number=+1%20202%20555%200123', { key: scene.shop })).status,
    ).toBe(204);
    expect(await scene.list(scene.shop)).toEqual([]);
  });

  it('says nothing from the millisecond on that it expires', async () => {
    const at = scene.harness.nowMs + 5000;
    const iso = new Date(at).toISOString();
    for (const expiresAt of ['2025-05-31T12:00:00Z', '2025-05-31T14:00:00+02:00', '2025-05-31']) {
      expect((await scene.put(scene.shop, { expiresAt })).json).toMatchObject({ field: 'expiresAt' });
    }
    await scene.put(scene.shop, { expiresAt: iso });
    scene.harness.nowMs = at - 1;
    expect(await scene.lookup(scene.shop)).toMatchObject({ rule: 'override', override: { expiresAt: iso } });
    scene.harness.nowMs = at;
    expect(await scene.lookup(scene.shop)).toMatchObject({ rule: 'default' });
    expect(await scene.list(scene.shop)).toEqual([]);
    for (const method of ['GET', 'DELETE']) {
      expect((await scene.harness.call(method, `/v1/overrides?${QUERY}`, { key: scene.shop })).code).toBe('not-found');
    }
  });

  it('named twice is refused', async () => {
    await scene.put(scene.shop);
    const answer = await scene.harness.call('DELETE', `/v1/overrides?number=%2B12025550199&${QUERY}`, {
      key: scene.shop,
    });
    expect(answer.code).toBe('invalid-request');
    expect(await scene.list(scene.shop)).toHaveLength(1);
  });
});

describe('a cursor of the audit trail', () => {
  it.each([
    ['of no page', '0000000001-0000000000000000', 'not-found'],
    ['that climbs', '../shop/0000000001-0000000000000000', 'invalid-request'],
    ['that climbs, encoded', '..%2Fshop%2F0000000001-0000000000000000', 'invalid-request'],
    ['of another kind of document', '../../overrides/shop/0000000001-0000000000000000', 'invalid-request'],
    ['with a line end', '0000000001-0000000000000000%0A', 'invalid-request'],
    ['with a null', '0000000001-0000000000000000%00', 'invalid-request'],
    ['in capitals', '0000000001-ABCDEF0123456789', 'invalid-request'],
    ['in full-width digits', '%EF%BC%90000000001-0000000000000000', 'invalid-request'],
    ['empty', '', 'invalid-request'],
    ['of all', '*', 'invalid-request'],
  ])('%s is refused', async (_, before, code) => {
    await scene.put(scene.shop);
    expect((await scene.harness.call('GET', `/v1/audit?before=${before}`, { key: scene.shop })).code).toBe(code);
  });

  it('of one tenant opens nothing of another, nor of all', async () => {
    await scene.put(scene.shop);
    await scene.put(ADMIN_KEY, {}, '?tenant=*');
    const rows = (await scene.harness.services.tenants.index.read()).value;
    for (const tenant of ['shop', '*']) {
      const before = rows.get(tenant)?.audit ?? '';
      expect(before).toMatch(/^[0-9]{10}-/);
      expect((await scene.harness.call('GET', `/v1/audit?before=${before}`, { key: scene.bank })).code).toBe(
        'not-found',
      );
      const own = await scene.harness.call('GET', `/v1/audit?before=${before}&tenant=${tenant}`);
      expect(own.json).toMatchObject({ entries: [{ action: 'override.put' }] });
    }
  });
});
