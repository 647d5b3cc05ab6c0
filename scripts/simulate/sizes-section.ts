/** What was measured from the real encoders and the real tick. */
import type { Row } from '../../bench/report.ts';
import type { MeasuredTicks } from './measured-tick.ts';
import { type Calls, NO_CALLS } from './metered-store.ts';
import { storedBytes } from './monthly-usage.ts';
import { type Section, three } from './table.ts';
import type { ScaleModel } from './world-model.ts';

export function sizesSection(models: readonly ScaleModel[], measured: MeasuredTicks): Section {
  return {
    tables: [
      { id: 'sizes', title: 'Measured: bytes from the encoders', rows: models.map(sizeRow) },
      { id: 'storage', title: 'Stored after a year, GB', rows: models.map(storageRow) },
      {
        id: 'calls',
        title: 'Measured: storage calls of a real tick in a small store',
        rows: [
          callRow('nothing waits', measured.idle),
          callRow('one upload', measured.one),
          callRow('three uploads', measured.three),
        ],
      },
    ],
    bars: [],
  };
}

function sizeRow(model: ScaleModel): Row {
  const { segment, manifest } = model.sizes;
  return {
    numbers: model.scale.name,
    'numbers, bits each': three((segment.numbersBytes * 8) / segment.records),
    'verdicts, bytes each': three(segment.verdictsBytes / segment.records),
    'evidence, bytes each': three(segment.evidenceBytes / segment.records),
    'a stored upload, bytes': model.sizes.batchBytes,
    'records a segment': segment.records,
    'manifest, bytes a segment': three(manifest.entryBytes),
  };
}

function storageRow(model: ScaleModel): Row {
  const { liveSegments, keptSegments, batches, manifests, slices } = storedBytes(model);
  const gigabytes = (bytes: number) => three(bytes / 1e9);
  return {
    numbers: model.scale.name,
    'R2: segments': gigabytes(liveSegments),
    'R2: segments of retained generations': gigabytes(keptSegments),
    'R2: batches of a year': gigabytes(batches),
    'R2: manifests, history of a year': gigabytes(manifests),
    'KV: slices': gigabytes(slices),
  };
}

/** Only kinds of call that a tick makes. */
function callRow(tick: string, calls: Calls): Row {
  const made = { ...NO_CALLS, ...calls };
  return {
    tick,
    'R2 get': made.objectRead,
    'R2 list': made.objectList,
    'R2 put': made.objectWrite,
    'R2 delete': made.objectDelete,
    'KV put': made.sliceWrite,
  };
}
