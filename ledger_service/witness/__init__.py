"""Outside eyes on a log: witnesses that cosign its checkpoints, an authority that dates them, and being a witness.

`cosigning` asks the witnesses of the policy, `dating` the timestamp authority; what they answer stands in `tables` and
is read by `kept`. `server` and `routes` are the other side: cosigning the checkpoints of the other members. `protocol`
holds the texts that both sides of tlog-witness exchange. Anchoring waits for none of it.
"""
