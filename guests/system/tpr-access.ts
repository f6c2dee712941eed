import { asm, defineCase } from "../../mod.ts";

/** Reports of accesses to the TPR can be asked for and called off, and the TPR goes on to work. */
export default defineCase({
  id: "system/tpr-access",
  spec: [
    "KVM API 3: KVM_CAP_VAPIC (KVM_TPR_ACCESS_REPORTING)",
    "KVM API 5: KVM_EXIT_TPR_ACCESS",
    "SDM 3A 11.8.3.1: the task-priority register",
  ],
  mode: "protected",
  irqchip: "kernel",
  requires: ["KVM_CAP_VAPIC"],
  guest: asm`
    out 0x10, al
    mov dword [0xfee00080], 0x20
    mov eax, [0xfee00080]
    out 0xf4, eax
  `,
  drive({ vcpu, run }) {
    vcpu.setTprAccessReporting(true);
    run();
    vcpu.setTprAccessReporting(false);
  },
  trace: `
    > tpr-access-reporting 0x1
    pio out 0x10 u8 0x0
    > tpr-access-reporting 0x0
    pio out 0xf4 u32 0x20
    = rax 0x20
    = cr8 0x2
  `,
});
