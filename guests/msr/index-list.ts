import { asm, defineCase, Kvm } from "../../mod.ts";

/** MSRs that move by themselves: the TSC, and the counters of Hyper-V's reference time and run time. */
const moving = new Set([0x10, 0x40000020, 0x40000010]);

/** Every MSR of the index list can be read, takes what was read of it, and reads the same then. */
export default defineCase({
  id: "msr/index-list",
  spec: [
    "KVM API 4.3: KVM_GET_MSR_INDEX_LIST",
    "KVM API 4.18, 4.19: KVM_GET_MSRS, KVM_SET_MSRS",
  ],
  mode: "long",
  irqchip: "kernel",
  guest: asm`
    out 0xf4, al
  `,
  drive: ({ vm, vcpu, assertEquals }) => {
    using kvm = Kvm.open();
    const list = kvm.msrIndexList();
    assertEquals("indices that come twice", list.length - new Set(list).size, 0);
    const observer = vm.observer;
    vm.observer = undefined;
    const unread: string[] = [], refused: string[] = [], changed: string[] = [];
    for (const index of list) {
      const name = `0x${index.toString(16)}`;
      const [entry] = vcpu.msrs([index]);
      if (entry === undefined) unread.push(name);
      else if (vcpu.setMsrs([entry]) !== 1) refused.push(name);
      else if (!moving.has(index) && vcpu.msrs([index])[0]?.data !== entry.data) changed.push(name);
    }
    vm.observer = observer;
    assertEquals("MSRs that cannot be read, be set, or stay", { unread, refused, changed }, {
      unread: [],
      refused: [],
      changed: [],
    });
  },
  trace: `pio out 0xf4 u8 0x0`,
});
