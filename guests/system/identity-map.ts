import { asm, defineCase } from "../../mod.ts";
import { freshVm } from "../_fresh.ts";

/** The page of KVM_SET_IDENTITY_MAP_ADDR can be said until a vCPU is made. */
export default defineCase({
  id: "system/identity-map",
  spec: ["KVM API 4.40: KVM_SET_IDENTITY_MAP_ADDR (0 is the default; fails once a vCPU was made)"],
  mode: "real",
  requires: ["KVM_CAP_SET_IDENTITY_MAP_ADDR"],
  guest: asm`hlt`,
  drive(context) {
    using vm = freshVm(context);
    vm.setIdentityMapAddress(0xfeffc000);
    vm.setIdentityMapAddress(0);
    vm.createVcpu();
    context.attempt(() => vm.setIdentityMapAddress(0xfeffc000));
    context.attempt(() => vm.setIdentityMapAddress(0));
  },
  trace: `
    > identity-map 0xfeffc000
    > identity-map 0x0
    > identity-map 0xfeffc000 -> EINVAL
    > identity-map 0x0 -> EINVAL
    hlt
  `,
});
