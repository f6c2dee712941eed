import { asm, defineCases, type PitChannelState } from "../../mod.ts";

const latched = { rw_mode: 3, read_state: 3, mode: 0, count: 0x10000 };

interface Row {
  channel: 0 | 1 | 2;
  state: Partial<PitChannelState>;
  /** Control words that the guest writes first. */
  commands?: readonly number[];
  reads: readonly number[];
  after: Partial<PitChannelState>;
}

const rows: Record<string, Row> = {};
for (const channel of [0, 1, 2] as const) {
  const add = (
    name: string,
    state: Row["state"],
    reads: Row["reads"],
    after: Row["after"],
    commands: Row["commands"] = [],
  ) => {
    const row = { channel, state: { ...latched, ...state }, commands, reads, after };
    rows[`channel-${channel}-${name}`] = row;
  };
  add("low-byte", { count_latched: 1, latched_count: 0x9234 }, [0x34], { count_latched: 0 });
  add("high-byte", { count_latched: 2, latched_count: 0x9234 }, [0x92], { count_latched: 0 });
  add("first-byte", { count_latched: 3, latched_count: 0x9234 }, [0x34], { count_latched: 2 });
  add("both-bytes", { count_latched: 3, latched_count: 0x9234 }, [0x34, 0x92], {
    count_latched: 0,
  });
  // The status comes first, whatever was latched first.
  add(
    "status-and-count",
    { status_latched: 1, status: 0xb6, count_latched: 3, latched_count: 0x12fe },
    [0xb6, 0xfe, 0x12],
    { status_latched: 0, count_latched: 0 },
  );
  // What is latched stays until it is read.
  add(
    "latched-again",
    { status_latched: 1, status: 0x5a, count_latched: 3, latched_count: 0x9234 },
    [0x5a, 0x34, 0x92],
    { status_latched: 0, count_latched: 0 },
    [channel << 6, 0xc0 | 2 << channel],
  );
  add("status", { status_latched: 1, status: 0x5a }, [0x5a], { status_latched: 0, status: 0x5a });
}

/** What KVM_SET_PIT2 latched is what the guest reads, in the order of the access mode, and once. */
export default defineCases(
  "timer/pit-restored",
  rows,
  ({ channel, state, commands, reads, after }) => ({
    spec: ["KVM API 4.73: KVM_SET_PIT2", "Intel 8254: counter latch command, read-back command"],
    requires: ["KVM_CAP_PIT2", "KVM_CAP_PIT_STATE2"],
    mode: "real",
    irqchip: "kernel",
    guest: asm`
    ${(commands ?? []).map((command) => `mov al, ${command}\nout 0x43, al`).join("\n")}
    ${reads.map(() => `in al, ${0x40 + channel}\nout 0x10, al`).join("\n")}
    mov al, 0
    out 0xf4, al
  `,
    drive({ run, vm, assertEquals }) {
      vm.irq.createPit();
      const before = vm.irq.pit2();
      Object.assign(before.channels[channel]!, state);
      vm.irq.setPit2(before);
      reads.forEach(() => run());
      run();
      const now = vm.irq.pit2();
      const without = (value: PitChannelState) => ({ ...value, count_load_time: 0n });
      before.channels.forEach((expected, number) => {
        assertEquals(
          `channel ${number}`,
          without(now.channels[number]!),
          without(number === channel ? { ...expected, ...after } : expected),
        );
      });
    },
    trace: `
    > pit
    > set-pit2
    ${reads.map((value) => `pio out 0x10 u8 0x${value.toString(16)}`).join("\n")}
    pio out 0xf4 u8 0x0
  `,
  }),
);
