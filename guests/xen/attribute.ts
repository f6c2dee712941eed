import { asm, defineCases, type DriveContext } from "../../mod.ts";
import { requires } from "./_xen.ts";

const NONE = (1n << 64n) - 1n;
const TWO_LEVELS = 0xffffffff;

interface Row {
  drive: (context: DriveContext) => void;
  /** What it records. */
  trace: string;
  state?: string;
}

/** An attribute of the VM that comes back as it was set. */
const kept = (
  name: "long-mode" | "upcall-vector" | "xen-version" | "runstate-update-flag",
  member: string,
  ...values: readonly number[]
): Row => ({
  drive: ({ vm, assertEquals }) => {
    for (const value of values) {
      vm.xen.setAttribute(name, { [member]: value } as never);
      assertEquals("it", vm.xen.attribute(name), { [member]: value });
    }
  },
  trace: values.map(() => `> set-xen ${name}`).join("\n"),
});

/** The same of a vCPU. */
const keptByVcpu = (
  name: "vcpu-info" | "vcpu-time-info" | "vcpu-id" | "upcall-vector",
  member: string,
  first: bigint | number,
  ...values: readonly (bigint | number)[]
): Row => ({
  drive: ({ vcpu, assertEquals }) => {
    assertEquals("it at first", vcpu.xen.attribute(name), { [member]: first });
    for (const value of values) {
      vcpu.xen.setAttribute(name, { [member]: value } as never);
      assertEquals("it", vcpu.xen.attribute(name), { [member]: value });
    }
  },
  trace: values.map(() => `> set-xen-vcpu ${name}`).join("\n"),
});

/** Refusals, each with its errno. */
const refused = (
  ...tries: readonly [line: string, body: (context: DriveContext) => void, errno: string][]
): Row => ({
  drive: (context) => {
    for (const [, body] of tries) context.attempt(() => body(context));
  },
  trace: tries.map(([line, , errno]) => `> ${line} -> ${errno}`).join("\n"),
});

const timer = (port: number, expires_ns: bigint, priority = TWO_LEVELS) => ({
  timer: { port, priority, expires_ns },
});

const rows: Record<string, Row> = {
  "long-mode": kept("long-mode", "long_mode", 1, 0),
  "upcall-vector": kept("upcall-vector", "vector", 0x10, 0xff, 0),
  "xen-version": kept("xen-version", "xen_version", 0x40011, 0),
  "runstate-update-flag": kept("runstate-update-flag", "runstate_update_flag", 1, 0),
  "shared-info": {
    drive: ({ vm, assertEquals }) => {
      for (const gfn of [0xbn, 0xdn, NONE]) {
        vm.xen.setAttribute("shared-info", { shared_info: { gfn } });
        assertEquals("it", vm.xen.attribute("shared-info"), { shared_info: { gfn } });
        assertEquals("its address", vm.xen.attribute("shared-info-hva"), {
          shared_info: { hva: 0n },
        });
      }
    },
    trace: "> set-xen shared-info\n> set-xen shared-info\n> set-xen shared-info",
    // The wall clock is where structures of 32 bits have it.
    state:
      "= mem 0xb900 u32 [0x2 * *]\n= mem 0xb924 u32 *\n= mem 0xd900 u32 [0x2 * *]\n= mem 0xd924 u32 *",
  },
  // It moves with the width of the guest's structures.
  "shared-info-width": {
    drive: ({ vm }) => {
      vm.xen.setAttribute("shared-info", { shared_info: { gfn: 0xbn } });
      vm.xen.setAttribute("long-mode", { long_mode: 1 });
    },
    trace: "> set-xen shared-info\n> set-xen long-mode",
    state:
      "= mem 0xb900 u32 [0x2 * *]\n= mem 0xb924 u32 *\n= mem 0xbc00 u32 [0x2 * *]\n= mem 0xbc0c u32 *",
  },
  "vcpu-info": keptByVcpu("vcpu-info", "gpa", NONE, 0xd004n, NONE),
  "vcpu-time-info": keptByVcpu("vcpu-time-info", "gpa", NONE, 0xd008n, NONE),
  "vcpu-id": keptByVcpu("vcpu-id", "vcpu_id", 0, 5, 1023),
  "vcpu-upcall-vector": keptByVcpu("upcall-vector", "vector", 0, 0x10, 0xff, 0),
  "timer": {
    drive: ({ vcpu, assertEquals }) => {
      for (const [port, expires] of [[9, 0n], [8, 0x3fffffffffffn], [7, 0n], [0, 0n]] as const) {
        vcpu.xen.setAttribute("timer", timer(port, expires));
        assertEquals("it", vcpu.xen.attribute("timer"), timer(port, expires));
      }
    },
    trace: Array(4).fill("> set-xen-vcpu timer").join("\n"),
  },
  "runstate": {
    drive: ({ vcpu, assertEquals }) => {
      const set = (state: bigint, times: readonly bigint[], entry: bigint) => ({
        runstate: {
          state,
          state_entry_time: entry,
          time_running: times[0],
          time_runnable: times[1],
          time_blocked: times[2],
          time_offline: times[3],
        },
      });
      vcpu.xen.setAttribute("runstate-data", set(2n, [100n, 20n, 3n, 4n], 127n));
      assertEquals(
        "state and times",
        vcpu.xen.attribute("runstate-data"),
        set(2n, [100n, 20n, 3n, 4n], 127n),
      );
      assertEquals("the state", vcpu.xen.attribute("runstate-current").runstate.state, 2n);
      vcpu.xen.setAttribute("runstate-adjust", set(NONE, [1n, 2n, 3n, 4n], 10n));
      assertEquals(
        "what it is adjusted to",
        vcpu.xen.attribute("runstate-data"),
        set(2n, [101n, 22n, 6n, 8n], 137n),
      );
      // What was spent since then is the old state's; all four make up the time of the change.
      vcpu.xen.setAttribute("runstate-current", set(1n, [0n, 0n, 0n, 0n], 0n));
      const { runstate } = vcpu.xen.attribute("runstate-data");
      assertEquals("the new state", runstate.state, 1n);
      assertEquals(
        "the others' times",
        [runstate.time_running, runstate.time_runnable, runstate.time_offline],
        [101n, 22n, 8n],
      );
      assertEquals(
        "the sum",
        runstate.time_running + runstate.time_runnable + runstate.time_blocked +
          runstate.time_offline,
        runstate.state_entry_time,
      );
      assertEquals("time passed", runstate.time_blocked > 6n, true);
    },
    trace:
      "> set-xen-vcpu runstate-data\n> set-xen-vcpu runstate-adjust\n> set-xen-vcpu runstate-current",
  },
  // Where it lies in the guest's memory it says the same.
  "runstate-address": runstateAt(0xd008n, 1),
  "runstate-address-32-bit": runstateAt(0xd008n, 0),
  "runstate-address-two-pages": runstateAt(0xcfe4n, 1),
  "runstate-address-two-pages-32-bit": runstateAt(0xcff4n, 0),
  "refused": refused(
    [
      "set-xen upcall-vector",
      ({ vm }) => vm.xen.setAttribute("upcall-vector", { vector: 0xf }),
      "EINVAL",
    ],
    [
      "set-xen-vcpu upcall-vector",
      ({ vcpu }) => vcpu.xen.setAttribute("upcall-vector", { vector: 0xf }),
      "EINVAL",
    ],
    [
      "set-xen-vcpu vcpu-id",
      ({ vcpu }) => vcpu.xen.setAttribute("vcpu-id", { vcpu_id: 0x100000 }),
      "EINVAL",
    ],
    [
      "set-xen-vcpu vcpu-info",
      ({ vcpu }) => vcpu.xen.setAttribute("vcpu-info", { gpa: 0xd002n }),
      "ENXIO",
    ],
    [
      "set-xen-vcpu timer",
      ({ vcpu }) => vcpu.xen.setAttribute("timer", timer(9, 0n, 0)),
      "EINVAL",
    ],
    [
      "set-xen shared-info-hva",
      ({ vm }) => vm.xen.setAttribute("shared-info-hva", { shared_info: { hva: 0x1004n } }),
      "EINVAL",
    ],
    ...(["runstate-current", "runstate-data", "runstate-adjust"] as const).map((name) =>
      [
        `set-xen-vcpu ${name}`,
        ({ vcpu }: DriveContext) => vcpu.xen.setAttribute(name, times(4n, 0n, 0n)),
        "EINVAL",
      ] as [string, (context: DriveContext) => void, string]
    ),
    // The times do not add up, or lie in the future.
    ...(["runstate-data", "runstate-adjust"] as const).flatMap((name) =>
      ([[1n, 0n], [1n << 62n, 1n << 62n]] as const).map(([entry, running]) =>
        [
          `set-xen-vcpu ${name}`,
          ({ vcpu }: DriveContext) => vcpu.xen.setAttribute(name, times(0n, entry, running)),
          "EINVAL",
        ] as [string, (context: DriveContext) => void, string]
      )
    ),
  ),
};

function times(state: bigint, entry: bigint, running: bigint) {
  return {
    runstate: {
      state,
      state_entry_time: entry,
      time_running: running,
      time_runnable: 0n,
      time_blocked: 0n,
      time_offline: 0n,
    },
  };
}

function runstateAt(gpa: bigint, long_mode: 0 | 1): Row {
  const words = [2, ...(long_mode ? [0] : []), 127, 0, 100, 0, 20, 0, 3, 0, 4, 0];
  return {
    drive: ({ vm, vcpu, assertEquals }) => {
      vm.xen.setAttribute("long-mode", { long_mode });
      const { runstate } = times(2n, 127n, 100n);
      vcpu.xen.setAttribute("runstate-data", {
        runstate: { ...runstate, time_runnable: 20n, time_blocked: 3n, time_offline: 4n },
      });
      vcpu.xen.setAttribute("runstate-address", { gpa });
      assertEquals("it", vcpu.xen.attribute("runstate-address"), { gpa });
    },
    trace: "> set-xen long-mode\n> set-xen-vcpu runstate-data\n> set-xen-vcpu runstate-address",
    state: `= mem 0x${gpa.toString(16)} u32 [${
      words.map((word) => `0x${word.toString(16)}`).join(" ")
    }]`,
  };
}

/** Xen's attributes of a VM and its vCPU: what is set, read, refused, and written to memory. */
export default defineCases("xen/attribute", rows, ({ drive, trace, state = "" }) => ({
  spec: [
    "KVM API 4.126 and 4.127: KVM_XEN_HVM_SET_ATTR, KVM_XEN_HVM_GET_ATTR",
    "KVM API 4.128 and 4.129: KVM_XEN_VCPU_SET_ATTR, KVM_XEN_VCPU_GET_ATTR",
  ],
  mode: "long",
  irqchip: "kernel",
  requires,
  guest: asm`
    hlt
  `,
  drive,
  trace: `
    ${trace}
    ${state}
  `,
}));
