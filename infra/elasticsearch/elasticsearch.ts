/** What a development Elasticsearch is to whoever starts one, wherever it runs. */
import type { Log } from '@thrum/actors/system/log';

export type ElasticsearchOptions = {
  /** Kept after `stop`; without it a temporary one is made and removed. */
  readonly dataDirectory?: string;
  /** 0 or nothing: a free one. */
  readonly port?: number;
  /** Java heap such as 512m; raising it makes heavy questions possible and costs that much memory. */
  readonly heap?: string;
  /** Says what it does; nothing by default. */
  readonly log?: Log;
};

/** `stop` and `kill` return when the process is gone. For a server we did not start all four only say so in the log. */
export type Elasticsearch = {
  readonly kind: 'given' | 'docker' | 'assembled';
  readonly url: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  kill(): Promise<void>;
};
