import { asm, defineCases, type PicState } from "../../mod.ts";
import { initializedMaster } from "./_pic.ts";

interface Row {
  master?: Partial<PicState>;
  slave?: Partial<PicState>;
  /** The vector that is taken. */
  vector?: number;
  /** What differs then. */
  masterThen?: Partial<PicState>;
  slaveThen?: Partial<PicState>;
}

const rows: Record<string, Row> = {
  "line-0": { master: { irr: 0x01 }, vector: 0x20, masterThen: { irr: 0, isr: 0x01 } },
  "line-7": { master: { irr: 0x80 }, vector: 0x27, masterThen: { irr: 0, isr: 0x80 } },
  "highest-priority": {
    master: { irr: 0x98 },
    vector: 0x23,
    masterThen: { irr: 0x90, isr: 0x08 },
  },
  "rotated": {
    master: { irr: 0x88, priority_add: 4 },
    vector: 0x27,
    masterThen: { irr: 0x08, isr: 0x80 },
  },
  "rotated-round": {
    master: { irr: 0x12, priority_add: 5 },
    vector: 0x21,
    masterThen: { irr: 0x10, isr: 0x02 },
  },
  "masked": { master: { irr: 0x08, imr: 0x08 } },
  "masked-others": {
    master: { irr: 0x18, imr: 0xef },
    vector: 0x24,
    masterThen: { irr: 0x08, isr: 0x10 },
  },
  "in-service-higher": { master: { irr: 0x10, isr: 0x02 } },
  "in-service-same": { master: { irr: 0x10, isr: 0x10 } },
  "in-service-lower": {
    master: { irr: 0x10, isr: 0x20 },
    vector: 0x24,
    masterThen: { irr: 0, isr: 0x30 },
  },
  "in-service-rotated": { master: { irr: 0x10, isr: 0x80, priority_add: 6 } },
  "automatic-eoi": {
    master: { irr: 0x10, auto_eoi: 1 },
    vector: 0x24,
    masterThen: { irr: 0 },
  },
  "automatic-eoi-rotating": {
    master: { irr: 0x10, auto_eoi: 1, rotate_on_auto_eoi: 1 },
    vector: 0x24,
    masterThen: { irr: 0, priority_add: 5 },
  },
  "automatic-eoi-rotating-last": {
    master: { irr: 0x80, auto_eoi: 1, rotate_on_auto_eoi: 1, priority_add: 3 },
    vector: 0x27,
    masterThen: { irr: 0, priority_add: 0 },
  },
  // A level-triggered request stays as long as its line is asserted.
  "level": {
    master: { irr: 0x28, last_irr: 0x20, elcr: 0x20, imr: 0x08 },
    vector: 0x25,
    masterThen: { isr: 0x20 },
  },
  "vectors-elsewhere": {
    master: { irr: 0x04 << 1, irq_base: 0x40 },
    vector: 0x43,
    masterThen: { irr: 0, isr: 0x08 },
  },
  "slave": {
    slave: { irr: 0x20 },
    vector: 0x2d,
    masterThen: { isr: 0x04 },
    slaveThen: { irr: 0, isr: 0x20 },
  },
  "slave-line-0": {
    slave: { irr: 0x81 },
    vector: 0x28,
    masterThen: { isr: 0x04 },
    slaveThen: { irr: 0x80, isr: 0x01 },
  },
  "slave-before-line-3": {
    master: { irr: 0x08 },
    slave: { irr: 0x80 },
    vector: 0x2f,
    masterThen: { isr: 0x04 },
    slaveThen: { irr: 0, isr: 0x80 },
  },
  "slave-behind-line-1": {
    master: { irr: 0x02 },
    slave: { irr: 0x80 },
    vector: 0x21,
    masterThen: { irr: 0x04, isr: 0x02 },
  },
  "slave-masked": { slave: { irr: 0x20, imr: 0x20 } },
  "slave-automatic-eoi": {
    master: { auto_eoi: 1 },
    slave: { irr: 0x20, auto_eoi: 1 },
    vector: 0x2d,
    slaveThen: { irr: 0 },
  },
  "slave-vectors-elsewhere": {
    slave: { irr: 0x02, irq_base: 0x60 },
    vector: 0x61,
    masterThen: { isr: 0x04 },
    slaveThen: { irr: 0, isr: 0x02 },
  },
  // Fully nested, the cascade's line is in service; specially so, the slave's higher one is not held.
  "nested-slave": {
    master: { isr: 0x04 },
    slave: { irr: 0x02, isr: 0x20 },
    masterThen: { irr: 0x04 },
  },
  "specially-nested-slave": {
    master: { isr: 0x04, special_fully_nested_mode: 1 },
    slave: { irr: 0x02, isr: 0x20 },
    vector: 0x29,
    slaveThen: { irr: 0, isr: 0x22 },
  },
};

/** The request that has priority in the state that KVM_SET_IRQCHIP gets is taken, and no other. */
export default defineCases("interrupt/pic-restored", rows, (row) => ({
  spec: [
    "KVM API 4.27: KVM_SET_IRQCHIP, struct kvm_pic_state",
    "8259A: interrupt sequence; fully nested mode, special fully nested mode, automatic rotation",
  ],
  mode: "real",
  irqchip: "kernel",
  handlers: row.vector === undefined ? {} : { [row.vector]: "handler" },
  guest: asm`
    push word 0x202
    popf                            ; no shadow
    taken:
    ${row.vector === undefined ? "nop" : "jmp taken"}
    cli
    done:
    mov al, bl
    out 0xf4, al
    handler:
    mov bl, ${row.vector ?? 0}
    jmp done
  `,
  drive({ run, vm, assertEquals }) {
    const master = { ...initializedMaster, ...row.master };
    const slave = { ...initializedMaster, irq_base: 0x28, elcr_mask: 0xde, ...row.slave };
    vm.irq.setPic("pic-master", master);
    vm.irq.setPic("pic-slave", slave);
    run();
    const [masterNow, slaveNow] = [vm.irq.pic("pic-master"), vm.irq.pic("pic-slave")];
    const names = Object.keys(initializedMaster) as (keyof PicState)[];
    const listed = (state: PicState) => names.map((name) => `${name} ${state[name]}`);
    assertEquals("the master", listed(masterNow), listed({ ...master, ...row.masterThen }));
    assertEquals("the slave", listed(slaveNow), listed({ ...slave, ...row.slaveThen }));
  },
  trace: ({ taken }) => {
    const vector = `0x${(row.vector ?? 0).toString(16)}`;
    return `
      > set-irqchip pic-master
      > set-irqchip pic-slave
      pio out 0xf4 u8 ${vector}
      ${
      row.vector === undefined ? "= mem 0x7ffe u16 0x202" : `
        = rax ${vector}
        = rbx ${vector}
        = rsp 0x7ffa
        = mem 0x7ffa u16 [${taken} 0x0 0x202]
      `
    }
    `;
  },
}));
