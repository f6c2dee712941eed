import { asm, defineCases, EventFd } from "../../mod.ts";

interface Row {
  readonly size: 1 | 2 | 4;
  readonly match: bigint;
  readonly accumulator: string;
  /** Written in turn: the value itself, and values that differ in one bit of it. */
  readonly values: readonly [bigint, bigint, bigint];
  readonly exits: readonly [string, string];
}

const rows: Record<string, Row> = {
  // What lies above the operand in RAX is not compared.
  "8": {
    size: 1,
    match: 0xe8n,
    accumulator: "al",
    values: [0x85a6c7e8n, 0x85a6c7e9n, 0x85a6c768n],
    exits: ["u8 0xe9", "u8 0x68"],
  },
  "16": {
    size: 2,
    match: 0xc7e8n,
    accumulator: "ax",
    values: [0x85a6c7e8n, 0x85a6c6e8n, 0x85a647e8n],
    exits: ["u16 0xc6e8", "u16 0x47e8"],
  },
  "32": {
    size: 4,
    match: 0x85a6c7e8n,
    accumulator: "eax",
    values: [0x85a6c7e8n, 0x85a7c7e8n, 0x05a6c7e8n],
    exits: ["u32 0x85a7c7e8", "u32 0x5a6c7e8"],
  },
};

/** With a value to match, an ioeventfd takes the writes of just that value; others exit. */
export default defineCases(
  "pio/ioeventfd-datamatch",
  rows,
  ({ size, match, accumulator, values, exits }) => ({
    spec: "KVM API 4.59: KVM_IOEVENTFD, KVM_IOEVENTFD_FLAG_DATAMATCH",
    mode: "long",
    requires: ["KVM_CAP_IOEVENTFD"],
    guest: asm`
      mov eax, ${values[0]}
      out 0x10, ${accumulator}
      mov eax, ${values[1]}
      out 0x10, ${accumulator}
      mov eax, ${values[0]}
      out 0x10, ${accumulator}
      mov eax, ${values[2]}
      out 0x10, ${accumulator}
      mov eax, 0
      hlt
    `,
    drive: ({ vm, run, note }) => {
      using event = new EventFd();
      vm.events.assign(event, { space: "pio", address: 0x10, size, match });
      run();
      note("eventfd", [], event.take());
      run();
      note("eventfd", [], event.take());
      run();
      note("eventfd", [], event.take());
    },
    trace: `
      > ioeventfd pio 0x10 size=0x${size} match=0x${match.toString(16)}
      pio out 0x10 ${exits[0]}
      > eventfd -> 0x1
      pio out 0x10 ${exits[1]}
      > eventfd -> 0x1
      hlt
      > eventfd -> 0x0
    `,
  }),
);
