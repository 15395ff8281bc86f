// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Peek: many balances in one eth_call, with nothing deployed.
/// @notice The till sends this as the creation code of a call that is never mined.
/// The answer is 32-byte words: chain id, block number, block time, then two words
/// for each thing that is there: a tag and a value. What is not there is not told.
/// @dev Tag = kind << 64 | token << 32 | owner, both by their place in the arguments.
/// Kinds: 1 a balance that is not zero; 2 a token that gave no balance (value 0);
/// 3 code at an owner (value: its size). Token zero is the native coin.
contract Peek {
    /// A call to a token may burn no more than this; Circle's and Tether's need 10,000.
    uint256 private constant GAS = 300000;

    constructor(address[] memory tokens, address[] memory owners) {
        assembly {
            let out := mload(0x40)
            mstore(out, chainid())
            mstore(add(out, 0x20), number())
            mstore(add(out, 0x40), timestamp())
            let end := add(out, 0x60)
            mstore(0, shl(224, 0x70a08231))
            let n := mload(tokens)
            let m := mload(owners)
            for { let o := 0 } lt(o, m) { o := add(o, 1) } {
                let owner := mload(add(add(owners, 0x20), shl(5, o)))
                let size := extcodesize(owner)
                if size {
                    mstore(end, or(shl(64, 3), o))
                    mstore(add(end, 0x20), size)
                    end := add(end, 0x40)
                }
                mstore(0x04, owner)
                for { let t := 0 } lt(t, n) { t := add(t, 1) } {
                    let token := mload(add(add(tokens, 0x20), shl(5, t)))
                    let kind := 1
                    let value := balance(owner)
                    if token {
                        mstore(0x40, 0)
                        let ok := staticcall(GAS, token, 0, 0x24, 0x40, 0x20)
                        value := mload(0x40)
                        if or(iszero(ok), lt(returndatasize(), 0x20)) {
                            kind := 2
                            value := 0
                        }
                    }
                    if or(value, eq(kind, 2)) {
                        mstore(end, or(shl(64, kind), or(shl(32, t), o)))
                        mstore(add(end, 0x20), value)
                        end := add(end, 0x40)
                    }
                }
            }
            return(out, sub(end, out))
        }
    }
}
