import { typedJson } from '../../../../lib/core/codec/typed-json.js';
import { AllCommands } from '../../../../lib/client/commands/all-commands.js';
import type { Decoder, SplitRule } from '../../../../lib/client/commands/command-set.js';
import type { CommandDescription } from '../../../../lib/client/commands/command.js';
import { prefixArguments } from '../../../../lib/client/commands/prefix.js';
import type { Argument, Reply } from '../../../../lib/driver/driver.js';

export interface Sent {
  readonly command: CommandDescription;
  readonly args: readonly Argument[];
  readonly binary: boolean;
  readonly rule: SplitRule | undefined;
}

/** All commands, with nothing behind them: keeps what would be sent and answers what it is told to. */
export class RecordingCommands extends AllCommands<'promise'> {
  readonly sent: Sent[] = [];
  protected readonly codec = typedJson;

  constructor(
    private readonly reply: Reply = null,
    private readonly prefix = '',
  ) {
    super();
  }

  /** What was sent, in words. */
  get wire(): string {
    return this.sent.map(({ command, args }) => [command.name, ...args.map(String)].join(' ')).join('; ');
  }

  protected override async send<T>(
    command: CommandDescription,
    args: readonly Argument[],
    decode: Decoder<T>,
    binary = false,
  ): Promise<T> {
    this.sent.push({ command, args: prefixArguments(command, args, this.prefix), binary, rule: undefined });
    return decode(this.reply, command.name);
  }

  protected override async sendSplit<T>(
    command: CommandDescription,
    args: readonly Argument[],
    rule: SplitRule,
    decode: Decoder<T>,
    binary = false,
  ): Promise<T> {
    this.sent.push({ command, args: prefixArguments(command, args, this.prefix), binary, rule });
    return decode(this.reply, command.name);
  }

  protected override async answer<T>(value: T): Promise<T> {
    return value;
  }

  protected override async refuse<T>(error: Error): Promise<T> {
    throw error;
  }

  protected override stripPrefix(key: string): string {
    return key.slice(this.prefix.length);
  }
}

/** One call: what is sent for it, what the server says, what the caller gets. */
export type Exchange = readonly [
  wire: string,
  call: (commands: RecordingCommands) => Promise<unknown>,
  reply: Reply,
  result: unknown,
];
