/** A store cannot be opened as it was asked for; the message says what is wrong, with what, and what to do about it. */
export class StoreError extends Error {
  readonly code: 'bad-url' | 'directory' | 'in-use' | 'not-a-store' | 'ca-file';
  constructor(code: StoreError['code'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'StoreError';
    this.code = code;
  }
}
