import { asm, defineCases, type PicState } from "../../mod.ts";
import { initializedMaster } from "./_pic.ts";

interface Row {
  /** What the master is set to beforehand. */
  readonly before?: Partial<PicState>;
  /** Bytes for its two ports: `[0x20, 0x20]` is an OCW2. */
  readonly writes: readonly (readonly [port: 0x20 | 0x21, value: number])[];
  /** What differs then. */
  readonly after: Partial<PicState>;
}

/** All lines masked. */
const initialized: PicState = { ...initializedMaster, imr: 0xff };

const busy = { isr: 0x58, irr: 0x81 };

const rows: Record<string, Row> = {
  mask: { writes: [[0x21, 0x5a]], after: { imr: 0x5a } },
  "mask-none": { writes: [[0x21, 0x00]], after: { imr: 0 } },
  // End of interrupt.
  "eoi": { before: busy, writes: [[0x20, 0x20]], after: { isr: 0x50 } },
  "eoi-twice": { before: busy, writes: [[0x20, 0x20], [0x20, 0x20]], after: { isr: 0x40 } },
  "eoi-none-in-service": { writes: [[0x20, 0x20]], after: {} },
  "eoi-by-priority": {
    before: { ...busy, priority_add: 5 },
    writes: [[0x20, 0x20]],
    after: { isr: 0x18 },
  },
  "eoi-by-priority-round": {
    before: { ...busy, priority_add: 7 },
    writes: [[0x20, 0x20]],
    after: { isr: 0x50 },
  },
  "eoi-specific": { before: busy, writes: [[0x20, 0x66]], after: { isr: 0x18 } },
  "eoi-specific-lowest": { before: { isr: 0x81 }, writes: [[0x20, 0x60]], after: { isr: 0x80 } },
  "eoi-specific-highest": { before: { isr: 0x81 }, writes: [[0x20, 0x67]], after: { isr: 0x01 } },
  "eoi-specific-other": { before: busy, writes: [[0x20, 0x65]], after: {} },
  // Rotation.
  "rotate-eoi": { before: busy, writes: [[0x20, 0xa0]], after: { isr: 0x50, priority_add: 4 } },
  "rotate-eoi-last": {
    before: { isr: 0x80 },
    writes: [[0x20, 0xa0]],
    after: { isr: 0, priority_add: 0 },
  },
  "rotate-eoi-by-priority": {
    before: { ...busy, priority_add: 5 },
    writes: [[0x20, 0xa0]],
    after: { isr: 0x18, priority_add: 7 },
  },
  "rotate-eoi-none": { before: { priority_add: 3 }, writes: [[0x20, 0xa0]], after: {} },
  "rotate-specific": {
    before: busy,
    writes: [[0x20, 0xe6]],
    after: { isr: 0x18, priority_add: 7 },
  },
  "rotate-specific-last": {
    before: { isr: 0x81 },
    writes: [[0x20, 0xe7]],
    after: { isr: 0x01, priority_add: 0 },
  },
  "set-priority": { before: busy, writes: [[0x20, 0xc2]], after: { priority_add: 3 } },
  "set-priority-last": {
    before: { priority_add: 3 },
    writes: [[0x20, 0xc7]],
    after: { priority_add: 0 },
  },
  "no-operation": { before: busy, writes: [[0x20, 0x40]], after: {} },
  "rotate-automatic": { writes: [[0x20, 0x80]], after: { rotate_on_auto_eoi: 1 } },
  "rotate-automatic-off": {
    before: { rotate_on_auto_eoi: 1 },
    writes: [[0x20, 0x00]],
    after: { rotate_on_auto_eoi: 0 },
  },
  // OCW3.
  "read-isr": { writes: [[0x20, 0x0b]], after: { read_reg_select: 1 } },
  "read-irr": {
    before: { read_reg_select: 1 },
    writes: [[0x20, 0x0a]],
    after: { read_reg_select: 0 },
  },
  "read-neither": { before: { read_reg_select: 1 }, writes: [[0x20, 0x08]], after: {} },
  "read-neither-with-bit": { writes: [[0x20, 0x09]], after: {} },
  "poll": { writes: [[0x20, 0x0c]], after: { poll: 1 } },
  "special-mask": { writes: [[0x20, 0x68]], after: { special_mask: 1 } },
  "special-mask-off": {
    before: { special_mask: 1 },
    writes: [[0x20, 0x48]],
    after: { special_mask: 0 },
  },
  "special-mask-as-it-is": { before: { special_mask: 1 }, writes: [[0x20, 0x08]], after: {} },
  "special-mask-not-enabled": { writes: [[0x20, 0x28]], after: {} },
  // ICW1 begins the initialization and clears the edges, the mask and the priorities.
  "icw1": {
    before: {
      imr: 0x5a,
      last_irr: 0x11,
      irr: 0x01,
      priority_add: 3,
      read_reg_select: 1,
      special_mask: 1,
    },
    writes: [[0x20, 0x11]],
    after: {
      imr: 0,
      last_irr: 0,
      irr: 0,
      priority_add: 0,
      read_reg_select: 0,
      special_mask: 0,
      init_state: 1,
      init4: 1,
    },
  },
  "icw1-level": {
    before: { irr: 0x21, elcr: 0x20 },
    writes: [[0x20, 0x11]],
    after: { imr: 0, irr: 0x20, init_state: 1 },
  },
  // Without ICW4 all that it selects is off.
  "icw1-without-icw4": {
    before: { auto_eoi: 1, special_fully_nested_mode: 1 },
    writes: [[0x20, 0x10]],
    after: { imr: 0, init_state: 1, init4: 0, auto_eoi: 0, special_fully_nested_mode: 0 },
  },
  "icw1-with-icw4": {
    before: { auto_eoi: 1, special_fully_nested_mode: 1 },
    writes: [[0x20, 0x11]],
    after: { imr: 0, init_state: 1 },
  },
  "icw2": {
    writes: [[0x20, 0x11], [0x21, 0xf8]],
    after: { imr: 0, irq_base: 0xf8, init_state: 2 },
  },
  // The line gives the vector's low three bits.
  "icw2-low-bits": {
    writes: [[0x20, 0x11], [0x21, 0x77]],
    after: { imr: 0, irq_base: 0x70, init_state: 2 },
  },
  "icw3": {
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4]],
    after: { imr: 0, irq_base: 0x40, init_state: 3 },
  },
  "icw3-the-last": {
    writes: [[0x20, 0x10], [0x21, 0x40], [0x21, 4]],
    after: { imr: 0, irq_base: 0x40, init4: 0 },
  },
  "icw4": {
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 0x01]],
    after: { imr: 0, irq_base: 0x40 },
  },
  "icw4-automatic-eoi": {
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 0x03]],
    after: { imr: 0, irq_base: 0x40, auto_eoi: 1 },
  },
  "icw4-special-fully-nested": {
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 0x11]],
    after: { imr: 0, irq_base: 0x40, special_fully_nested_mode: 1 },
  },
  "icw4-both-off": {
    before: { auto_eoi: 1, special_fully_nested_mode: 1 },
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 0x0d]],
    after: { imr: 0, irq_base: 0x40, auto_eoi: 0, special_fully_nested_mode: 0 },
  },
  "mask-behind-icw4": {
    writes: [[0x20, 0x11], [0x21, 0x40], [0x21, 4], [0x21, 0x01], [0x21, 0xfb]],
    after: { imr: 0xfb, irq_base: 0x40 },
  },
};

/** What each command of the 8259A changes in the master, and that it changes nothing else. */
export default defineCases("interrupt/pic-command", rows, ({ before, writes, after }) => ({
  spec: [
    "8259A: initialization command words, operation command words",
    "KVM API 4.26, 4.27: KVM_GET_IRQCHIP, KVM_SET_IRQCHIP",
  ],
  mode: "real",
  irqchip: "kernel",
  guest: asm`
    ${writes.map(([port, value]) => `mov al, ${value}\nout ${port}, al`).join("\n")}
    mov al, 0
    out 0xf4, al
  `,
  drive({ run, vm, assertEquals }) {
    const state = { ...initialized, ...before };
    vm.irq.setPic("pic-master", state);
    const slave = { ...vm.irq.pic("pic-slave"), imr: 0xa5, irq_base: 0x70 };
    vm.irq.setPic("pic-slave", slave);
    assertEquals("the master as set", sorted(vm.irq.pic("pic-master")), sorted(state));
    run();
    assertEquals("the master", sorted(vm.irq.pic("pic-master")), sorted({ ...state, ...after }));
    assertEquals("the slave", vm.irq.pic("pic-slave"), slave);
  },
  trace: `
    > set-irqchip pic-master
    > set-irqchip pic-slave
    pio out 0xf4 u8 0x0
  `,
}));

function sorted(state: PicState): [string, number][] {
  return Object.entries(state).sort(([one], [other]) => one < other ? -1 : 1);
}
