import { asm, defineCases } from "../../mod.ts";
import type { Fields } from "./_fields.ts";
import {
  afterExits,
  type ExpectedExit,
  hypervisor,
  machine,
  prepare,
  quadwords,
  recorded,
  requires,
} from "./_vmx.ts";

/** Number (and reserved bits above 31) and value of each MSR of a list. */
type List = readonly (readonly [number: bigint | number, value: bigint])[];

interface Row {
  entry?: List;
  store?: List;
  load?: List;
  /** What the MSRs of `store` have behind the exit. */
  stored?: readonly bigint[];
  exit?: ExpectedExit;
  state?: string;
  /** The exit itself fails, which is the machine's end. */
  aborts?: true;
}

const ENTRY = 0xf000, STORE = 0xf400, LOAD = 0xf800;
const failed = (index: number): ExpectedExit => ({ exitReason: 0x80000022, qualification: index });
const success: ExpectedExit = { exitReason: 18 };

const rows: Record<string, Row> = {
  "entry-load": {
    entry: [[0xc0000081, 0x1111222233334444n], [0x174, 0x77n]],
    exit: success,
    // The exit loads SYSENTER_CS from the host-state area, and STAR stays.
    state: `= msr.0xc0000081 0x1111222233334444
      = msr.0x174 0x0`,
  },
  "exit-store": {
    entry: [[0xc0000081, 0x1111222233334444n], [0xc0000082, 0x5555n]],
    store: [[0xc0000082, 0n], [0xc0000081, 0n]],
    stored: [0x5555n, 0x1111222233334444n],
    exit: success,
    state: `= msr.0xc0000081 0x1111222233334444
      = msr.0xc0000082 0x5555`,
  },
  "exit-load": {
    entry: [[0xc0000081, 0x1111222233334444n]],
    store: [[0xc0000081, 0n]],
    stored: [0x1111222233334444n],
    load: [[0xc0000081, 0x9999n], [0xc0000082, 0x8888n]],
    exit: success,
    state: `= msr.0xc0000081 0x9999
      = msr.0xc0000082 0x8888`,
  },
  // The later of two stands.
  "exit-load-twice": {
    load: [[0xc0000081, 0x9999n], [0xc0000081, 0x8888n]],
    exit: success,
    state: "= msr.0xc0000081 0x8888",
  },
  // What stands before the entry that fails was loaded, and what stands behind was not.
  "entry-load-fs-base": {
    entry: [[0xc0000081, 0x1111n], [0xc0000100, 0n], [0xc0000082, 0x2222n]],
    exit: failed(2),
    state: `= msr.0xc0000081 0x1111
      = msr.0xc0000082 0x0`,
  },
  "entry-load-gs-base": { entry: [[0xc0000101, 0n]], exit: failed(1) },
  "entry-load-unknown": { entry: [[0x40000fff, 0n]], exit: failed(1) },
  "entry-load-reserved": { entry: [[0x1_c0000081n, 0n]], exit: failed(1) },
  "entry-load-microcode": { entry: [[0x8b, 0n]], exit: failed(1) },
  "entry-load-microcode-update": { entry: [[0x79, 0n]], exit: failed(1) },
  "entry-load-smm-monitor": { entry: [[0x9b, 0n]], exit: failed(1) },
  "entry-load-value": {
    entry: [[0xc0000082, 0x5555n], [0xc0000082, 0x800000000000n]],
    exit: failed(2),
    state: "= msr.0xc0000082 0x5555",
  },
  // An entry that fails loads the host's state, its list included, and stores nothing.
  "entry-load-fails-exit-loads": {
    entry: [[0xc0000100, 0n]],
    store: [[0xc0000082, 0x1234n]],
    stored: [0x1234n],
    load: [[0xc0000081, 0x9999n]],
    exit: failed(1),
    state: "= msr.0xc0000081 0x9999",
  },
  "exit-load-unknown": { load: [[0x40000fff, 0n]], aborts: true },
  "exit-load-reserved": { load: [[0x1_c0000081n, 0n]], aborts: true },
  "exit-load-fs-base": { load: [[0xc0000100, 0n]], aborts: true },
  "exit-store-unknown": { store: [[0x40000fff, 0n]], stored: [0n], aborts: true },
  "exit-store-reserved": { store: [[0x1_c0000081n, 0n]], stored: [0n], aborts: true },
};

const bytes = (list: List) => quadwords(list.flatMap(([number, value]) => [number, value]));
/** The values of a list in memory, whose numbers stay. */
const text = (list: List, values: readonly bigint[]) =>
  list.map(([number], index) => `0x${number.toString(16)} 0x${values[index].toString(16)}`).join(
    " ",
  );

/** The MSRs of the three lists are loaded at entry, stored at exit and loaded at exit. */
export default defineCases("nested-vmx/msr-list", rows, (row) => ({
  spec: [
    "SDM 3C 27.4: loading MSRs",
    "SDM 3C 28.4: saving MSRs",
    "SDM 3C 28.6: loading MSRs",
    "SDM 3C 28.7: VMX aborts",
  ],
  mode: "long",
  requires,
  machine,
  guest: asm`
    ${hypervisor()}
    nested:
    vmcall
    out 0xee, al
  `,
  drive: (context) => {
    const { entry = [], store = [], load = [] } = row;
    const fields: Fields = {
      entryMsrLoadCount: entry.length,
      entryMsrLoadAddress: ENTRY,
      exitMsrStoreCount: store.length,
      exitMsrStoreAddress: STORE,
      exitMsrLoadCount: load.length,
      exitMsrLoadAddress: LOAD,
    };
    context.write(ENTRY, bytes(entry));
    context.write(STORE, bytes(store));
    context.write(LOAD, bytes(load));
    prepare(context, { fields, reads: ["exitReason", "qualification"] });
    context.run();
  },
  trace: row.aborts ? "shutdown" : `
    hlt
    ${recorded([row.exit!], ["exitReason", "qualification"])}
    ${row.stored ? `= mem 0x${STORE.toString(16)} u64 [${text(row.store!, row.stored)}]` : ""}
    ${row.state ?? ""}
    ${afterExits}
  `,
}));
