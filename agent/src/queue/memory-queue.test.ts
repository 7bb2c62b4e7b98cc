import { createMemoryQueue } from './memory-queue.ts';
import { queueContract } from './queue.contract.ts';

queueContract('memory', (options) => Promise.resolve(createMemoryQueue(options)));
