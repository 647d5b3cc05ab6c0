/** Builds from files in a folder of their own into a store in memory, and the same inventory the ordinary way. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import {
  BUILD_PROGRESS,
  type BuildRequest,
  type BuildSummary,
  buildInventory,
} from '../../../../scripts/build-inventory/build.ts';
import { runHere, type TaskRunner } from '../../../../scripts/build-inventory/tasks.ts';
import { Progress } from '../../../../scripts/command/progress.ts';
import type { Detection } from '../../../../src/format/attributes.ts';
import { compactFully, drain } from '../../../../src/merge/rebuild.ts';
import { someDetections } from '../../../support/detections.ts';
import { newWorld, START, upload, type World } from '../../../support/world.ts';

export const LABELS = ['modem_pool_card', 'public_sms_receiver', 'reported_abuse'];
export const COLUMNS = [
  'number',
  'firstSeen',
  'observedAt',
  'sightings',
  'label',
  'channel',
  'industry',
  'project',
  'link',
  'source',
] as const;

/** No number of a test may show in anything that is written for people. */
export const NUMBER_SHAPE = /\d{7}/;

/** A folder that is gone after the tests of the file. */
export class Bench {
  readonly folder = mkdtempSync(join(tmpdir(), 'ringfence-build-'));
  readonly rejectsPath = join(this.folder, 'rejects.csv');
  readonly workFolder = join(this.folder, 'work');
  /** What was written for the person at the terminal. */
  readonly output: string[] = [];

  constructor() {
    afterAll(() => rmSync(this.folder, { recursive: true }));
  }

  file(name: string, content: string | Uint8Array): string {
    const path = join(this.folder, name);
    writeFileSync(path, content);
    return path;
  }

  /** Small pieces and small batches, so that a small file has many. */
  request(files: readonly string[], options: Partial<BuildRequest> = {}): BuildRequest {
    return {
      files,
      labels: LABELS,
      workFolder: this.workFolder,
      rejectsPath: this.rejectsPath,
      rangeBytes: 4_000,
      maxBatchRows: 25,
      ...options,
    };
  }

  build(world: World, request: BuildRequest, runner: TaskRunner = runHere): Promise<BuildSummary> {
    const out = { isTerminal: false, write: (text: string) => this.output.push(text) };
    const progress = new Progress(out, () => world.clock, BUILD_PROGRESS);
    return buildInventory(request, { context: world, runner, progress });
  }

  /** What is left in the work folder. */
  left(): string[] {
    try {
      return readdirSync(this.workFolder).sort();
    } catch {
      return [];
    }
  }
}

/** With a number that is valid, where those for fiction of area code 200 are not; and without a link, see `csvOf`. */
export function importable(detection: Detection): Detection {
  const { number } = detection;
  return { ...detection, link: null, number: number < 12_010_000_000 ? number + 120_000_000 : number };
}

/** A fixed pseudo-random list of detections as a file can have them. */
export function someRows(count: number, seed: number): Detection[] {
  return someDetections(count, seed).map(importable);
}

/** Links are left out: a detection has only the digest of one. */
export function csvOf(detections: readonly Detection[], lineEnd = '\n'): string {
  const lines = detections.map((d) =>
    [
      `+${d.number}`,
      iso(d.firstSeenAt),
      iso(d.observedAt),
      d.sightings,
      d.label,
      d.channel,
      d.industry ?? '',
      quoted(d.project ?? ''),
      '',
      d.source ?? '',
    ].join(','),
  );
  return [COLUMNS.join(','), ...lines, ''].join(lineEnd);
}

export function ndjsonOf(detections: readonly Detection[]): string {
  const lines = detections.map(({ number, firstSeenAt, observedAt, link: _, ...rest }) =>
    JSON.stringify({ ...rest, number: `+${number}`, firstSeen: iso(firstSeenAt), observedAt: iso(observedAt) }),
  );
  return `${lines.join('\n')}\n`;
}

export function iso(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

function quoted(text: string): string {
  return /[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** The same detections uploaded, merged by ticks and compacted to one run. */
export async function mergedByTicks(detections: readonly Detection[], batchRows = 50_000): Promise<World> {
  const world = newWorld();
  for (let from = 0; from < detections.length; from += batchRows) {
    const id = `${String(START).padStart(13, '0')}-${String(from).padStart(9, '0')}`;
    await upload(world, id, detections.slice(from, from + batchRows));
  }
  await drain(world);
  await compactFully(world);
  return world;
}
