/**
 * Faults to put into the product on purpose, one at a time, to see the simulation find each: a skipped condition, an
 * order swapped, a bound off by one, a cache kept too long, a retry that forgets. A text that is to be replaced occurs
 * exactly once in its file; mutate.ts says so loudly where it does not any more.
 */

export interface Mutant {
  /** What the fault is. */
  readonly name: string;
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

export const MUTANTS: readonly Mutant[] = [
  // Merging
  {
    name: 'a tick forgets that batches merged before may still be waiting',
    file: 'src/merge/tick.ts',
    from: 'consumed: [...leftover, ...settled],',
    to: 'consumed: [...settled],',
  },
  {
    name: 'a generation is published before its history is written',
    file: 'src/merge/publish-manifest.ts',
    from: 'if (!isPart) await objects.put(historyKey, page.bytes);',
    to: 'if (!isPart) void objects.put(historyKey, page.bytes).catch(() => {});',
  },
  {
    name: 'a batch that is merged and not settled is merged again',
    file: 'src/merge/take.ts',
    from: 'list.heads.filter(({ key }) => !consumed.has(batchId(key))),',
    to: 'list.heads.filter(({ key }) => !consumed.has(key)),',
  },
  {
    name: 'a retry under a key that was merged is merged again',
    file: 'src/merge/waiting.ts',
    from: 'if (waiting === null || merged === null) return waiting;',
    to: 'if (waiting === null || merged !== null || merged === null) return waiting;',
  },
  {
    name: 'a batch is deleted before it is copied',
    file: 'src/merge/waiting.ts',
    from: `      await objects.put(MERGED_PREFIX + id, bytes, { absent: true });
      await objects.delete([WAITING_PREFIX + id]);`,
    to: `      await objects.delete([WAITING_PREFIX + id]);
      await objects.put(MERGED_PREFIX + id, bytes, { absent: true });`,
  },
  {
    name: 'a late retry replaces the copy that was merged',
    file: 'src/merge/waiting.ts',
    from: 'bytes, { absent: true });',
    to: 'bytes);',
  },
  {
    name: 'a generation is published over whichever there is',
    file: 'src/merge/publish-manifest.ts',
    from: 'objects.put(MANIFEST_KEY, bytes, condition)',
    to: 'objects.put(MANIFEST_KEY, bytes, base.etag === null ? condition : undefined)',
  },
  {
    name: 'a swap that failed counts as made',
    file: 'src/merge/publish-manifest.ts',
    from: 'failure = error;\n',
    to: "failure = error;\n    etag = 'made';\n",
  },
  {
    name: 'what a generation merged is not put on record',
    file: 'src/merge/publish-manifest.ts',
    from: 'writtenAt: publishedAt, ...merged });',
    to: 'writtenAt: publishedAt, ...merged, batches: merged.batches.slice(1) });',
  },
  {
    name: 'a page of the history forgets the generations before',
    file: 'src/merge/history.ts',
    from: 'const entries = [next, ...before];',
    to: 'const entries = [next, ...before.slice(0, 0)];',
  },
  {
    name: 'a segment that could not be written is named all the same',
    file: 'src/merge/segment-writer.ts',
    from: 'this.#underWay = this.#put(key, pack);',
    to: 'this.#underWay = this.#put(key, pack).catch(() => undefined);',
  },
  {
    name: 'sightings of several detections do not add up',
    file: 'src/merge/segment-builder.ts',
    from: 'this.#sightings[i] = addCounts(this.#sightings[i] as number, sightings);',
    to: 'this.#sightings[i] = Math.max(this.#sightings[i] as number, sightings);',
  },
  {
    name: 'first seen is that of the record which comes last',
    file: 'src/merge/segment-builder.ts',
    from: 'this.#firstDay[i] = Math.min(this.#firstDay[i] as number, firstDay);',
    to: 'this.#firstDay[i] = firstDay;',
  },
  {
    name: 'a compaction goes on one block too late',
    file: 'src/merge/compact.ts',
    from: 'runCursor(context, segments, state.resumeFrom, dictionary)',
    to: 'runCursor(context, segments, state.resumeFrom === 0 ? 0 : state.resumeFrom + 10_000, dictionary)',
  },
  {
    name: 'a tick joins runs that a compaction is merging',
    file: 'src/merge/fold-batches.ts',
    from: 'manifest.compaction?.inputs ?? [],',
    to: '[],',
  },
  {
    name: 'numbers that older runs have count as new',
    file: 'src/merge/first-time.ts',
    from: '(numbers[end] as number) <= entry.last',
    to: '(numbers[end] as number) < entry.last',
  },
  // Rolling back, retention, collection
  {
    name: 'a rollback brings back what had been set aside',
    file: 'src/merge/rollback.ts',
    from: 'options.requeue ? excluded.filter((id) => !isAside.has(id)) : []',
    to: 'options.requeue ? excluded : []',
  },
  {
    name: 'a rollback forgets what its target had left out',
    file: 'src/merge/rollback.ts',
    from: 'new Set([...asideThen.map(({ id }) => id), ...target.replay, ...later])',
    to: 'new Set([...later])',
  },
  {
    name: 'a rollback goes on with the compaction of before',
    file: 'src/merge/rollback.ts',
    from: '        compaction: null,\n',
    to: '',
  },
  {
    name: 'a briefing is not computed anew after a rollback',
    file: 'src/merge/rollback.ts',
    from: 'watermarkAt(manifest.watermarks, manifest.generation + 1, 0)',
    to: 'manifest.watermarks',
  },
  {
    name: 'garbage is deleted however young it is',
    file: 'src/merge/collect-garbage.ts',
    from: '!marked.has(key) && uploadedAt < oldest;',
    to: '!marked.has(key) && uploadedAt <= oldest + GARBAGE_AGE_MS;',
  },
  {
    name: 'a collection does not look at what a compaction has written',
    file: 'src/merge/collect-garbage.ts',
    from: '...(await unmarked(compaction))]',
    to: '...(await unmarked(compaction)).slice(1)]',
  },
  {
    name: 'a copy is garbage while parts of it are in use',
    file: 'src/merge/collect-garbage.ts',
    from: 'else manifests.add(part.object);',
    to: '',
  },
  {
    name: 'what a tick has gathered is named before it is there',
    file: 'src/merge/publish-manifest.ts',
    from: '  await objects.put(copyKey, parcel?.copy ?? bytes);',
    to: '  void objects.put(copyKey, parcel?.copy ?? bytes).catch(() => {});',
  },
  {
    name: 'of what a tick has gathered the ledger is not taken along',
    file: 'src/merge/gathered-writes.ts',
    from: '[ledger, history].filter((key) => key !== null);',
    to: '[history].filter((key) => key !== null);',
  },
  {
    name: 'what is held of a part is that of another',
    file: 'src/storage/held-writes.ts',
    from: 'this.#hold({ ...head, key: partKey({ object: key, offset, length }), sizeBytes: length }, part);',
    to: 'this.#hold({ ...head, key: partKey({ object: key, offset, length }), sizeBytes: length }, bytes.subarray(24, 24 + length));',
  },
  {
    name: 'a list of what a compaction has written is garbage while it is named',
    file: 'src/merge/collect-garbage.ts',
    from: 'if (key !== null) compactions.add(key);',
    to: '',
  },
  {
    name: 'a list of what a compaction has written is named before it is there',
    file: 'src/merge/compaction-output.ts',
    from: '  await objects.put(key, encodeOutput(segments));',
    to: '  void objects.put(key, encodeOutput(segments)).catch(() => {});',
  },
  {
    name: 'a compaction whose list is lost goes on where it was',
    file: 'src/merge/compaction-output.ts',
    from: 'return { inputs, output: [], resumeFrom: 0 };',
    to: 'return { inputs, output: [], resumeFrom };',
  },
  {
    name: 'a compaction whose list is lost never goes on',
    file: 'src/merge/compaction-output.ts',
    from: 'if (!(error instanceof FormatError)) throw error;',
    to: 'throw error;',
  },
  {
    name: 'a chunk of a compaction forgets what those before it have written',
    file: 'src/merge/compact.ts',
    from: '[...state.output, ...chunk.entries]',
    to: '[...state.output.slice(0, 0), ...chunk.entries]',
  },
  {
    name: 'a collection does not look at retained generations',
    file: 'src/merge/collect-garbage.ts',
    from: '    await markManifest(decodeManifest(object.bytes));',
    to: '    decodeManifest(object.bytes);',
  },
  // Quarantine
  {
    name: 'rows that are released are merged, and stay pending',
    file: 'src/merge/take.ts',
    from: 'batches.filter(({ id }) => !taken.has(id));',
    to: 'batches.filter(({ id }) => taken.has(id) || !taken.has(id));',
  },
  {
    name: 'a drop forgets released rows',
    file: 'src/quality/decide.ts',
    from: 'joinBatchSets(found.dropped, joinBatchSets(found.due, found.held))',
    to: 'joinBatchSets(found.dropped, found.held)',
  },
  {
    name: 'a release forgets rows of an earlier one',
    file: 'src/quality/decide.ts',
    from: 'due: joinBatchSets(found.due, found.held),',
    to: 'due: found.held,',
  },
  {
    name: 'a released source is judged again at once',
    file: 'src/quality/screen.ts',
    from: 'known?.trust && now < known.trust.until ? known.trust.reasons : []',
    to: 'known?.trust && now >= known.trust.until ? known.trust.reasons : []',
  },
  {
    name: 'uploads that a rollback put back are judged a second time',
    file: 'src/quality/screen.ts',
    from: 'uploads[i]?.isReplayed === false',
    to: 'uploads[i] !== undefined',
  },
  {
    name: 'a source is judged from one line more on',
    file: 'src/quality/quarantine.ts',
    from: 'if (window.lines < bounds.minLines) return [];',
    to: 'if (window.lines <= bounds.minLines) return [];',
  },
  {
    name: 'the week of a source has six days',
    file: 'src/quality/quarantine.ts',
    from: 'export const WINDOW_DAYS = 7;',
    to: 'export const WINDOW_DAYS = 6;',
  },
  {
    name: 'a canary is listed when its source is released',
    file: 'src/quality/excluded-rows.ts',
    from: 'isOwn[id] === true && !numbersOut.has(number)',
    to: 'isOwn[id] === true && numbersOut.size >= 0 && number > 0',
  },
  {
    name: 'a ledger does not say that something is pending',
    file: 'src/quality/ledger.ts',
    from: "? DUE_SUFFIX : ''",
    to: "? '' : ''",
  },
  {
    name: 'after a rollback what was held is in the inventory',
    file: 'src/quality/decide.ts',
    from: '    else held.push(batch);',
    to: '    else due.push(batch);',
  },
  // Withdrawals
  {
    name: 'what is merged while numbers are computed anew is forgotten',
    file: 'src/merge/rewrite-withdrawn.ts',
    from: '      queue.push({ id });\n',
    to: '',
  },
  {
    name: 'a rollback brings back what had been taken back',
    file: 'src/merge/rollback.ts',
    from: 'for (const id of [...since, ...revived]) pending.set',
    to: 'for (const id of revived) pending.set',
  },
  {
    name: 'numbers are computed anew from what is held as well',
    file: 'src/merge/rewrite-withdrawn.ts',
    from: 'omission === undefined ? own : without(own, omission)',
    to: 'omission === undefined ? own : own',
  },
  {
    name: 'activity of a batch that was taken back stays',
    file: 'src/merge/rewrite-withdrawn.ts',
    from: 'if (facts.done < facts.inputs.length) {',
    to: 'if (facts.done < facts.inputs.length - 1) {',
  },
  {
    name: 'what only waits is taken back, and merged all the same',
    file: 'src/merge/withdraw.ts',
    from: 'return { change: { consumed: [...consumed, id] },',
    to: 'return { change: {},',
  },
  // Uploads
  {
    name: 'the second upload with a key takes the place of the first',
    file: 'src/ingest/accept.ts',
    from: 'batch.bytes, { absent: true }, batch.owner);',
    to: 'batch.bytes, batch.keyed ? undefined : { absent: true }, batch.owner);',
  },
  {
    name: 'an upload under a key that was merged is acknowledged for itself',
    file: 'src/ingest/accept.ts',
    from: 'if (consumed !== null) return answerFromStore',
    to: 'if (consumed === undefined) return answerFromStore',
  },
  {
    name: 'an upload whose put failed is acknowledged',
    file: 'src/ingest/accept.ts',
    from: 'if (found === null) throw unavailable(batch, cause);',
    to: "if (found === null) return { kind: 'accepted', batch: batch.id, receipt: batch.receipt, replayed };",
  },
  // Serving
  {
    name: 'an older snapshot wins over a newer one',
    file: 'src/lookup/snapshot.ts',
    from: 'compare: (a, b) => a.manifest.generation - b.manifest.generation,',
    to: 'compare: () => 1,',
  },
  {
    name: 'a copy as it was before counts as a new one',
    file: 'src/lib/swr-cache.ts',
    from: 'if (begun.order <= copy.confirmed.order) return;',
    to: '',
  },
  {
    name: 'whoever comes while a copy is refreshed is answered from the old one',
    file: 'src/lib/swr-cache.ts',
    from: 'if (ageMs >= refreshFirstAfterMs) await',
    to: 'if (ageMs >= refreshFirstAfterMs && !this.#isReading(LOST_AFTER_MS)) await',
  },
  {
    name: 'a snapshot is kept for too long',
    file: 'src/lookup/snapshot.ts',
    from: 'export const WAIT_MS = 23_000;',
    to: 'export const WAIT_MS = 300_000;',
  },
  {
    name: 'deleted keys are good for an hour',
    file: 'src/keys/registry.ts',
    from: 'const REFRESH_FIRST_AFTER_MS = 45_000;',
    to: 'const REFRESH_FIRST_AFTER_MS = 3_500_000;',
  },
  {
    name: 'the isolate that a change went through does not look at it',
    file: 'src/api/edge-app.ts',
    from: 'await mayHaveChanged(request, answer, services.keys)',
    to: 'false',
  },
  {
    name: 'after a look at a change has failed, nobody looks for a while',
    file: 'src/lib/swr-cache.ts',
    from: 'await this.refreshIfOlder(0);\n    this.#forgetFailures();',
    to: 'await this.refreshIfOlder(0);',
  },
  {
    name: 'after a change a copy from before it counts as recent',
    file: 'src/lib/swr-cache.ts',
    from: 'async changedElsewhere(): Promise<void> {\n    this.#noteChange();',
    to: 'async changedElsewhere(): Promise<void> {',
  },
  {
    name: 'a read from before a change confirms the copy',
    file: 'src/lib/swr-cache.ts',
    from: 'if (changed === null || begun.order > changed.order) return begun;',
    to: 'if (changed === null || begun.order > 0) return begun;',
  },
  {
    name: 'the isolate that a rollback went through does not look at it',
    file: 'src/api/edge-app.ts',
    from: "  '/v1/rollback': 'snapshot',\n",
    to: '',
  },
  {
    name: 'the isolate that a decision on a source went through does not look at it',
    file: 'src/api/edge-app.ts',
    from: "  '/v1/sources': 'snapshot',\n",
    to: '',
  },
  {
    name: 'rules are kept for too long',
    file: 'src/tenants/tenant-rules.ts',
    from: '{ refreshFirstAfterMs: REFRESH_FIRST_AFTER_MS, maxAgeMs: deps.maxAgeMs ?? MAX_AGE_MS }',
    to: '{ refreshFirstAfterMs: 100 * REFRESH_FIRST_AFTER_MS, maxAgeMs: 100 * MAX_AGE_MS }',
  },
  // Cities
  {
    name: 'what a city has counts as just read',
    file: 'src/lib/swr-cache.ts',
    from: 'const at = found.at - CLOCK_DIFFERENCE_MS;',
    to: 'const at = this.#deps.now();',
  },
  {
    name: 'after a change a city says how it came out',
    file: 'src/lib/swr-cache.ts',
    from: 'if (this.#changed !== null && (copy === null || copy.confirmed.order <= this.#changed.order)) return false;',
    to: '',
  },
  {
    name: 'what is damaged in a city is not read from the store',
    file: 'src/storage/city.ts',
    from: `      } catch (error) {
        await this.#drop(at, error);
      }
    }
    const bytes`,
    to: `      } catch (error) {
        await this.#drop(at, error);
        throw error;
      }
    }
    const bytes`,
  },
  {
    name: 'an override holds when it has expired',
    file: 'src/policy/overrides.ts',
    from: 'return expiresAt === null || nowMs < expiresAt;',
    to: 'return expiresAt === null || nowMs < expiresAt + 60_000;',
  },
  {
    name: 'a change is written over that of another isolate',
    file: 'src/storage/cas-object.ts',
    from: '{ etag: version.etag };',
    to: '(undefined as never);',
  },
  {
    name: 'a change that is tried again forgets what there was',
    file: 'src/storage/cas-object.ts',
    from: '        const version = await this.read();\n        const value',
    to: '        const read = await this.read();\n        const version = attempt === 0 ? read : { ...read, value: this.#kind.empty };\n        const value',
  },
  {
    name: 'a day has not ended when it is asked for',
    file: 'src/lookup/as-of.ts',
    from: 'if (dayOf(entry.lastSeenAt) <= day) return [entry];',
    to: 'if (dayOf(entry.lastSeenAt) < day) return [entry];',
  },
  {
    name: 'an earlier generation is answered from the present one',
    file: 'src/lookup/as-of.ts',
    from: 'if (published !== null) return this.#asPublished(published, number, options);',
    to: 'if (published !== null) return this.#asPublished(snapshot, number, options);',
  },
  {
    name: 'sightings of two runs are those of one',
    file: 'src/lookup/record.ts',
    from: 'sightings: addCounts(a.sightings, b.sightings),',
    to: 'sightings: Math.max(a.sightings, b.sightings),',
  },
  {
    name: 'a number that could not be looked up is logged',
    file: 'src/lookup/finder.ts',
    from: "log('lookup.unknown', { numbers: unknown })",
    to: "log('lookup.unknown', { numbers: numbers[0] ?? 0 })",
  },
  {
    name: 'what cannot be read of a number counts as not listed',
    file: 'src/lookup/probe.ts',
    from: 'this.#columns.numbers.load(this.snapshot, entry));',
    to: 'this.#columns.numbers.load(this.snapshot, entry)).catch(() => ({ find: () => -1, rank: () => 0, recency: null, copyRange: () => undefined }) as unknown as NumbersReader);',
  },
  // Briefings, replicas
  {
    name: 'a briefing that was kept is served whatever came in on its last day',
    file: 'src/format/manifest.ts',
    from: 'entry.generation > generation && entry.day <= day',
    to: 'entry.generation > generation && entry.day < day',
  },
  {
    name: 'activity of a detection is kept for its last day only',
    file: 'src/merge/activity.ts',
    from: 'rows.add(numbers[row] as number, firstSeenAt[row] as number, observedAt[row] as number, id);',
    to: 'rows.add(numbers[row] as number, observedAt[row] as number, observedAt[row] as number, id);',
  },
  {
    name: 'a replica points to a copy that is not complete',
    file: 'src/replica/sync.ts',
    from: 'if (isBlocked || share.length < missing.length) return report(',
    to: 'if (isBlocked || share.length > missing.length) return report(',
  },
  {
    name: 'a sync swaps the pointer over another',
    file: 'src/replica/store.ts',
    from: '{ etag: held.etag };',
    to: '(undefined as never);',
  },
  {
    name: 'a replica goes back to an older generation at once',
    file: 'src/replica/sync.ts',
    from: 'if (olderSince !== null && startedAt - olderSince >= OLDER_FOR_MS) return;',
    to: 'if (olderSince === null || startedAt >= olderSince) return;',
  },
];
