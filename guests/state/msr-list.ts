import { asm, defineCase, type DrivenVcpu, type MsrEntry } from "../../mod.ts";

// What goes on by itself: the TSC and its deadline, the counters of cycles and events, Hyper-V's
// clocks.
const moving = (index: number) =>
  [0x10, 0xe7, 0xe8, 0x6e0, 0x40000010, 0x40000020].includes(index) ||
  index >= 0xc1 && index <= 0xc8 || index >= 0x309 && index <= 0x30c ||
  index >= 0xc0010201 && index <= 0xc001020b;

/** The MSRs of KVM_GET_MSR_INDEX_LIST, which a saved vCPU has. */
function listed(vcpu: DrivenVcpu): MsrEntry[] {
  return vcpu.save().msrs.flatMap((text) => {
    const view = new DataView(Uint8Array.fromBase64(text).buffer);
    return Array.from({ length: view.getUint32(0, true) }, (_, position) => ({
      index: view.getUint32(8 + 16 * position, true),
      data: view.getBigUint64(16 + 16 * position, true),
    }));
  });
}

/** Each MSR that KVM lists for saving takes back the value that it gives. */
export default defineCase({
  id: "state/msr-list",
  spec: ["KVM API 4.3: KVM_GET_MSR_INDEX_LIST", "KVM API 4.19: KVM_SET_MSRS"],
  mode: "long",
  irqchip: "kernel", // without it KVM refuses those of asynchronous page faults
  guest: asm`out 0xf4, al`,
  drive({ vm, vcpu, assertEquals }) {
    // One by one, and how many there are is the host's: the trace has none of them.
    const { observer } = vm;
    vm.observer = undefined;
    const entries = listed(vcpu);
    assertEquals("some MSRs", entries.length > 10, true);
    for (const entry of entries) {
      const name = `MSR 0x${entry.index.toString(16)}`;
      assertEquals(`${name}: how many are set`, vcpu.setMsrs([entry]), 1);
      if (!moving(entry.index)) assertEquals(name, vcpu.msrs([entry.index]), [entry]);
    }
    vm.observer = observer;
  },
  trace: "pio out 0xf4 u8 0x0",
});
