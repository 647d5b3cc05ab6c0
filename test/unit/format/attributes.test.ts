import fc from 'fast-check';
import { expect, test } from 'vitest';
import { attributesText, CHANNELS, INDUSTRIES, parseAttributes } from '../../../src/format/attributes.ts';

test('whether there is a link is told from the text alone, whatever stands beside it', () => {
  const tricky = fc.constantFrom('"', ',"', '",null]', ',null]', '","', '\\', 'null', ',null,null]', '\\","');
  const text = fc.option(
    fc.oneof(
      tricky,
      fc.string({ unit: 'binary' }),
      fc.array(tricky).map((all) => all.join('')),
    ),
  );
  const link = fc.option(fc.record({ host: fc.oneof(tricky, fc.string()), sha256: fc.constant('0f'.repeat(32)) }));
  const attributes = fc.record({
    label: fc.constantFrom('modem_pool_card', 'reported_abuse'),
    channel: fc.constantFrom(...CHANNELS),
    industry: fc.option(fc.constantFrom(...INDUSTRIES)),
    project: text,
    link,
    source: text,
  });
  fc.assert(
    fc.property(attributes, (one) => {
      const written = attributesText(one);
      expect(parseAttributes(written)).toEqual(one);
    }),
    { numRuns: 2_000 },
  );
});
