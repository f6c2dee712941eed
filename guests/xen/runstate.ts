import { asm, defineCases } from "../../mod.ts";
import { became, becomeXen, clocks, requires, type Width } from "./_xen.ts";

interface Row {
  width: Width;
  address: number;
  /** The guest asks for the flag of an update. */
  flag?: true;
}

const rows: Record<string, Row> = {
  "one-page": { width: 64, address: 0xd000 },
  "one-page-32-bit": { width: 32, address: 0xd000 },
  "two-pages": { width: 64, address: 0xcfec },
  "two-pages-32-bit": { width: 32, address: 0xcff0 },
  "update-flag": { width: 64, address: 0xd000, flag: true },
  "update-flag-32-bit": { width: 32, address: 0xd000, flag: true },
  "update-flag-two-pages": { width: 64, address: 0xcffc, flag: true },
};

/** While it runs a vCPU's state is running, and its times add up to when it came to be so. */
export default defineCases("xen/runstate", rows, ({ width, address, flag }) => {
  // Structures of 32 bits have their 64-bit words at 4, 12 and on.
  const entry = address + (width === 64 ? 8 : 4);
  const hex = (value: number) => `0x${value.toString(16)}`;
  return {
    spec: [
      "KVM API 4.128: KVM_XEN_VCPU_SET_ATTR (KVM_XEN_VCPU_ATTR_TYPE_RUNSTATE_ADDR)",
      "KVM API 4.126: KVM_XEN_HVM_SET_ATTR (KVM_XEN_ATTR_TYPE_RUNSTATE_UPDATE_FLAG)",
    ],
    mode: "long" as const,
    irqchip: "kernel" as const,
    requires,
    guest: asm`
      mov eax, [${address}]
      out 0x10, eax
      again:
      mov rdx, [${entry}]
      mov rax, [${entry + 8}]
      add rax, [${entry + 16}]
      add rax, [${entry + 24}]
      add rax, [${entry + 32}]
      cmp rdx, [${entry}]             ; the host may have run something else
      jnz again
      sub rax, rdx
      setnz al                        ; they add up
      shr rdx, 63
      or al, dl                       ; and no update goes on
      cmp qword [${entry}], 0
      setz dl
      or al, dl
      movzx eax, al
      xor edx, edx
      out 0xf4, al
    `,
    drive: (context) => {
      becomeXen(context, width);
      const { vm, vcpu } = context;
      if (flag) vm.xen.setAttribute("runstate-update-flag", { runstate_update_flag: 1 });
      vcpu.xen.setAttribute("runstate-address", { gpa: BigInt(address) });
    },
    trace: `
      ${became}
      ${flag ? "> set-xen runstate-update-flag" : ""}
      > set-xen-vcpu runstate-address
      pio out 0x10 u32 0x0
      pio out 0xf4 u8 0x0
      = rflags 0x46
      ${clocks(width)}
      = mem ${hex(address)} u32 [* ${Array(width === 64 ? 11 : 10).fill("*").join(" ")}]
    `,
  };
});
