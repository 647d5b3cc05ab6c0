import { MemoryObjectStore, MemorySliceStore } from '../../../src/storage/memory.ts';
import { describeObjectStore, describeSliceStore } from '../../support/store-contract.ts';

describeObjectStore('memory', () => new MemoryObjectStore());
describeSliceStore('memory', () => new MemorySliceStore());
