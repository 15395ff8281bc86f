// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Forwarder} from "./Forwarder.sol";

/// @title Factory: makes forwarders and sweeps them.
/// @notice It has no owner, no fee, no pause and no upgrade, and never holds money.
/// Anyone may call it; all that a caller chooses is when, and who pays the gas.
contract Factory {
    Forwarder public immutable IMPLEMENTATION;

    /// @notice held of token left forwarder for its treasury. A token that takes a fee
    /// brings the treasury less.
    event Swept(address indexed forwarder, address indexed token, uint256 held);
    /// @notice This item of a batch could not be moved; the others were not held up.
    event Skipped(address indexed forwarder, address indexed token);

    error Empty();
    error Lengths();

    constructor() {
        IMPLEMENTATION = new Forwarder();
    }

    /// @notice The address of a sale, whether or not anything is there yet.
    function addressOf(address treasury, bytes32 salt) public view returns (address) {
        bytes32 code = keccak256(creationCode(treasury));
        return address(uint160(uint256(keccak256(abi.encodePacked(bytes1(0xff), address(this), salt, code)))));
    }

    /// @notice Moves all of token from the sale's address to treasury, and makes the
    /// forwarder there first if it is not. Reverts when there is nothing, or it cannot
    /// be moved. token zero is the native coin.
    function sweepOne(address treasury, bytes32 salt, address token) external {
        address forwarder = addressOf(treasury, salt);
        uint256 held = balanceOf(token, forwarder);
        if (held == 0) revert Empty();
        if (forwarder.code.length == 0) {
            bytes memory code = creationCode(treasury);
            address made;
            assembly ("memory-safe") {
                made := create2(0, add(code, 32), mload(code), salt)
            }
            require(made == forwarder);
        }
        Forwarder(payable(forwarder)).sweep(token);
        emit Swept(forwarder, token, held);
    }

    /// @notice sweepOne of many sales. One that fails is skipped, with all it did
    /// undone: a frozen address must not hold up the rest.
    function sweep(address treasury, bytes32[] calldata salts, address[] calldata tokens) external {
        if (salts.length != tokens.length) revert Lengths();
        for (uint256 i = 0; i < salts.length; i++) {
            try this.sweepOne(treasury, salts[i], tokens[i]) {}
            catch {
                emit Skipped(addressOf(treasury, salts[i]), tokens[i]);
            }
        }
    }

    function balanceOf(address token, address holder) private view returns (uint256) {
        if (token == address(0)) return holder.balance;
        (bool read, bytes memory held) = token.staticcall(abi.encodeWithSelector(0x70a08231, holder));
        return read && held.length >= 32 ? abi.decode(held, (uint256)) : 0;
    }

    /// @dev 10 bytes that return the rest, 45 of an EIP-1167 proxy, the treasury.
    function creationCode(address treasury) private view returns (bytes memory) {
        return abi.encodePacked(
            hex"6100413d81600a3d39f3363d3d373d3d3d363d73", IMPLEMENTATION, hex"5af43d82803e903d91602b57fd5bf3", treasury
        );
    }
}
