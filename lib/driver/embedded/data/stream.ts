export class Stream {
  readonly type = 'stream';
  bytes = 0;
  size = 0;
  clone(): Stream {
    return this;
  }
}
