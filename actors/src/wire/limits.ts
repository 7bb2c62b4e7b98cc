/**
 * The bounds of the wire. Each is far above what an honest peer needs and low enough that a hostile one costs little;
 * who breaks one is answered with a refusal from `refusal.ts`.
 */
export const limits = {
  /** One batch. An agent's tick of 700 values takes 7 KB; raising this raises what one hostile session can make us hold. */
  maxBatchBytes: 1024 * 1024,
  /** Samples in one batch: 64 cores, 100 disks and 500 containers fit in a tick. */
  maxBatchSamples: 8192,
  /** Targets in one dictionary (an index of one byte on the wire). */
  maxTargets: 200,
  maxMetricsPerTarget: 500,
  maxFieldsPerTarget: 8,
  /** Bytes of one field value in UTF-8: an Elasticsearch keyword dimension takes 1,024. */
  maxFieldBytes: 512,
  /** One message of events; an agent tells a few at a time. */
  maxEventsBytes: 64 * 1024,
  maxEventsPerMessage: 64,
  maxEventFacts: 32,
  /** Series one host may have alive in the live view; each costs about 1 KB on its ingest node. */
  maxSeriesPerHost: 8192,
  /** Dictionary as JSON. */
  maxDictionaryBytes: 256 * 1024,
  /** Labels of one host. */
  maxLabels: 32,
  maxLabelChars: 128,
  /** One message of a browser. */
  maxBrowserMessageBytes: 16 * 1024,
  /** Events of one answer, newest first. */
  maxEventsPerAnswer: 200,
  /** Points of one history answer per series; a chart is at most this many pixels wide. */
  maxHistoryPoints: 2000,
  maxHistoryMetrics: 50,
  /** Series of one history answer: the most interesting first, the rest counted. */
  maxHistorySeries: 100,
  /** A sample may be this far ahead of the ingest node's clock. */
  maxAheadMs: 5 * 60_000,
  /** What the agent keeps at full detail for who starts to watch. */
  recentMs: 10 * 60_000,
} as const;
