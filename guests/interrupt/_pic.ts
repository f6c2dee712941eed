import { asm, type PicState } from "../../mod.ts";

/** What a case leaves open of how its two 8259As start. */
interface PicOptions {
  /** OCW1 of the master: a set bit masks; default none. */
  readonly masterMask?: number;
  /** OCW1 of the slave; default all. */
  readonly slaveMask?: number;
  /** ICW4 of both; default 0x01: 8086 mode, EOI by command. */
  readonly icw4?: number;
}

/**
 * Initializes both 8259As with ICW1 to ICW4 and OCW1: the master's vectors from 0x20, the slave's
 * from 0x28 and cascaded on IR2. Changes AL alone and leaves the slave's mask in it.
 */
export function initializePics(
  { masterMask = 0, slaveMask = 0xff, icw4 = 0x01 }: PicOptions = {},
): ReturnType<typeof asm> {
  return asm`
    mov al, 0x11                    ; ICW1: edge-triggered, cascaded, ICW4 follows
    out 0x20, al
    out 0xa0, al
    mov al, 0x20                    ; ICW2: first vector
    out 0x21, al
    mov al, 0x28
    out 0xa1, al
    mov al, 0x04                    ; ICW3: the slave is on IR2
    out 0x21, al
    mov al, 0x02
    out 0xa1, al
    mov al, ${icw4}
    out 0x21, al
    out 0xa1, al
    mov al, ${masterMask}
    out 0x21, al
    mov al, ${slaveMask}
    out 0xa1, al
  `;
}

/** The master as {@link initializePics} leaves it. */
export const initializedMaster: PicState = {
  last_irr: 0,
  irr: 0,
  imr: 0,
  isr: 0,
  priority_add: 0,
  irq_base: 0x20,
  read_reg_select: 0,
  poll: 0,
  special_mask: 0,
  init_state: 0,
  auto_eoi: 0,
  rotate_on_auto_eoi: 0,
  special_fully_nested_mode: 0,
  init4: 1,
  elcr: 0,
  elcr_mask: 0xf8,
};
