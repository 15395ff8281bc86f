// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";

/// Tokens for tests: an honest one, and what is out there besides.

interface IFactory {
    function sweepOne(address treasury, bytes32 salt, address token) external;
    function sweep(address treasury, bytes32[] calldata salts, address[] calldata tokens) external;
}

interface IForwarder {
    function sweep(address token) external;
}

/// An honest token with the decimals of the maker's choice.
contract Plain is ERC20 {
    uint8 private immutable D;

    constructor(string memory name, string memory symbol, uint8 d) ERC20(name, symbol) {
        D = d;
    }

    function decimals() public view override returns (uint8) {
        return D;
    }

    function mint(address to, uint256 amount) external {
        _mint(to, amount);
    }
}

/// As Circle's: the issuer freezes addresses, and everything.
contract Freezing is Plain {
    mapping(address => bool) public isBlacklisted;
    bool public paused;

    constructor(string memory name, string memory symbol, uint8 d) Plain(name, symbol, d) {}

    function blacklist(address a, bool on) external {
        isBlacklisted[a] = on;
    }

    function pause(bool on) external {
        paused = on;
    }

    function _update(address from, address to, uint256 value) internal override {
        require(!paused && !isBlacklisted[from] && !isBlacklisted[to], "frozen");
        super._update(from, to, value);
    }
}

/// Keeps one hundredth of every transfer.
contract Fee is Plain {
    constructor() Plain("Fee", "FEE", 6) {}

    function _update(address from, address to, uint256 value) internal override {
        if (from != address(0) && to != address(0)) {
            super._update(from, address(0xfee), value / 100);
            value -= value / 100;
        }
        super._update(from, to, value);
    }
}

/// Says false instead of reverting, and moves nothing.
contract Liar is Plain {
    constructor() Plain("Liar", "LIE", 6) {}

    function transfer(address, uint256) public pure override returns (bool) {
        return false;
    }
}

/// Calls the forwarder and the factory again in the middle of a transfer.
contract Reentrant is Plain {
    address public factory;
    address public treasury;
    bytes32 public salt;
    bool private inside;

    constructor() Plain("Reentrant", "RE", 6) {}

    function arm(address f, address t, bytes32 s) external {
        (factory, treasury, salt) = (f, t, s);
    }

    function _update(address from, address to, uint256 value) internal override {
        if (factory != address(0) && from != address(0) && !inside) {
            inside = true;
            try IForwarder(from).sweep(address(this)) {} catch {}
            try IFactory(factory).sweepOne(treasury, salt, address(this)) {} catch {}
            inside = false;
        }
        // What the inner calls left: the outer one must not fail when it is nothing.
        uint256 left = from == address(0) ? value : balanceOf(from);
        super._update(from, to, value < left ? value : left);
    }
}

/// As Tether's of 2017, written by hand: transfer returns nothing at all.
contract Silent {
    string public constant name = "Silent Dollar";
    string public constant symbol = "USDT";
    uint8 public constant decimals = 6;
    mapping(address => uint256) public balanceOf;

    event Transfer(address indexed from, address indexed to, uint256 value);

    function mint(address to, uint256 amount) external {
        balanceOf[to] += amount;
        emit Transfer(address(0), to, amount);
    }

    function transfer(address to, uint256 amount) external {
        balanceOf[msg.sender] -= amount;
        balanceOf[to] += amount;
        emit Transfer(msg.sender, to, amount);
    }
}

/// Has its name as bytes32, as old tokens do, and burns all gas when asked for a balance.
contract Burner {
    bytes32 public constant symbol = "BURN";
    uint8 public constant decimals = 6;

    function balanceOf(address) external pure returns (uint256) {
        while (true) {}
        return 1;
    }
}

/// A treasury that is a contract, and sweeps again as soon as coins come.
contract Greedy {
    address public factory;
    address public treasury;
    bytes32 public salt;
    uint256 public got;

    function arm(address f, bytes32 s) external {
        (factory, salt) = (f, s);
    }

    receive() external payable {
        got += msg.value;
        if (factory != address(0)) {
            try IFactory(factory).sweepOne(address(this), salt, address(0)) {} catch {}
        }
    }
}

/// A treasury that takes no coins.
contract Refuses {}

/// Destroys itself into an address: the one way to bring coins to a place without asking its code.
contract Bomb {
    constructor(address payable to) payable {
        selfdestruct(to);
    }
}
