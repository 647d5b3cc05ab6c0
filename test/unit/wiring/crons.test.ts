/** What a cron does with what fails: briefings and the census are logged, and a tick is logged and thrown. */
import { beforeEach, describe, expect, it, vi } from 'vitest';
import { policyTreeOf } from '../../../src/policy/cel/compile.ts';
import { type Control, createControl } from '../../../src/wiring/control.ts';
import { CENSUS_CRON, HALF_MONTH_CRON, runCron } from '../../../src/wiring/crons.ts';
import { createIsolate, WORKERS_PLATFORM } from '../../../src/wiring/isolate.ts';
import { newWorld, type World } from '../../support/world.ts';

const TICK_CRON = '* * * * *';

let world: World;
let control: Control;

beforeEach(() => {
  world = newWorld();
  const platform = { ...WORKERS_PLATFORM, now: world.now, sleep: world.sleep, log: world.log };
  const compile = async (source: Parameters<typeof policyTreeOf>[0]) => policyTreeOf(source);
  control = createControl(
    createIsolate(world, {}, () => undefined, compile, [], platform),
    {},
  );
});

/** From now on every call of storage of which the name begins so fails. */
function fail(beginning: string): void {
  world.storeLog.beforeCall = async (name) => {
    if (name.startsWith(beginning)) throw new Error(`injected: ${name} of +12025550123`);
  };
}

const eventsOf = () => world.events.map((event) => event.split(' ')[0]).filter((name) => name !== 'briefing.computed');

describe('a cron', () => {
  it('keeps the briefing of the half-month that has ended', async () => {
    await runCron(HALF_MONTH_CRON, control);
    expect(eventsOf()).toEqual(['briefing']);
  });

  it('takes the census', async () => {
    await runCron(CENSUS_CRON, control);
    expect(eventsOf()).toEqual(['census']);
  });

  it('ticks, and tells what it did', async () => {
    await runCron(TICK_CRON, control);
    expect(eventsOf()).toEqual(['tick']);
  });

  it.each([
    ['briefing', HALF_MONTH_CRON],
    ['census', CENSUS_CRON],
  ])('logs that the %s failed, and does not fail: the next one is fired as ever', async (event, cron) => {
    fail('get manifest');
    await runCron(cron, control);
    expect(eventsOf()).toEqual([`${event}.failed`]);
    world.storeLog.beforeCall = async () => {};
    await runCron(cron, control);
    await runCron(TICK_CRON, control);
    expect(eventsOf().slice(1)).toEqual([event, 'tick']);
  });

  it('logs that a tick failed, and throws, so that the platform counts it as failed', async () => {
    fail('get manifest');
    await expect(runCron(TICK_CRON, control)).rejects.toThrow('injected');
    expect(eventsOf()).toEqual(['tick.failed']);
  });

  it('does not fail a tick that is done because this isolate cannot read the new generation', async () => {
    await runCron(TICK_CRON, control);
    world.events.length = 0;
    vi.spyOn(control.finder.snapshots, 'refresh').mockRejectedValue(new Error('storage is gone'));
    await runCron(TICK_CRON, control);
    expect(eventsOf()).toEqual(['tick', 'snapshot.stale']);
  });

  it('puts no number into the log', async () => {
    for (const cron of [HALF_MONTH_CRON, CENSUS_CRON, TICK_CRON]) {
      fail('get manifest');
      await runCron(cron, control).catch(() => undefined);
    }
    expect(world.events).toHaveLength(3);
    expect(world.events.join('\n')).not.toContain('2025550123');
  });
});
