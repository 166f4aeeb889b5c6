//! Outcomes and their counters: number, slot and name belong together.

use bytemuck::Zeroable;

use super::*;

#[test]
fn number_slot_and_name_agree() {
    for (number, outcome) in OUTCOMES.iter().enumerate() {
        assert_eq!(*outcome as usize, number);
        assert_eq!(Outcome::from_number(number as u32), Some(*outcome));
        let mut counters = Counters::zeroed();
        *counters.slot_mut(*outcome).expect("every outcome has a slot") += 3;
        for other in OUTCOMES {
            assert_eq!(counters.of(*other), if other == outcome { 3 } else { 0 }, "{}", other.name());
        }
    }
    assert_eq!(Outcome::from_number(OUTCOMES.len() as u32), None);
}
