import { asm, defineCases, EventFd } from "../../mod.ts";

interface Row {
  readonly instruction: string;
  readonly size: 1 | 2;
  readonly count: number;
  readonly match?: number;
  readonly exits: string;
  readonly signals: string;
}

const rows: Record<string, Row> = {
  // More than the 1024 elements after which KVM looks at what else waits.
  outsb: { instruction: "rep outsb", size: 1, count: 1100, exits: "", signals: "0x44c" },
  outsw: { instruction: "rep outsw", size: 2, count: 3, exits: "", signals: "0x3" },
  "outsb-match": {
    instruction: "rep outsb",
    size: 1,
    count: 6,
    match: 0x42,
    exits: "pio out 0x1f0 u8 [0x40 0x41 0x43 0x44 0x45]",
    signals: "0x1",
  },
};

/** Each element of REP OUTS that an ioeventfd takes signals once; the others reach the host in order. */
export default defineCases(
  "pio/ioeventfd-string",
  rows,
  ({ instruction, size, count, match, exits, signals }) => ({
    spec: ["KVM API 4.59: KVM_IOEVENTFD", "SDM 2B: OUTS"],
    mode: "protected",
    requires: ["KVM_CAP_IOEVENTFD"],
    registers: { rcx: BigInt(count), rdx: 0x1f0n, rsi: 0xb000n },
    guest: asm`
      ${instruction}
      hlt
    `,
    drive: ({ vm, run, write, note }) => {
      using event = new EventFd();
      write(0xb000, Uint8Array.from({ length: count * size }, (_, index) => 0x40 + index));
      vm.events.assign(event, { space: "pio", address: 0x1f0, size, match });
      while (run().reason === "pio");
      note("eventfd", [], event.take());
    },
    trace: `
      > ioeventfd pio 0x1f0 size=0x${size} ${match === undefined ? "" : "match=0x42"}
      ${exits}
      hlt
      > eventfd -> ${signals}
      = rcx 0x0
      = rsi 0x${(0xb000 + count * size).toString(16)}
    `,
  }),
);
